"""What came of the runs, kept: the store, provenance, export, the mirror to Weights & Biases.

store.py            runs in SQLite, and which of them are current
  |                 schema.py: tables; opening.py: files; encoding.py: rows; currency.py: stale?
  |                 rescue.py: deleted or moved meanwhile
packing.py          a store as one small file    (packed_file.py: its bytes)
provenance.py       what a run was made with     (imports torch; nothing above or below does)
tracebacks.py       what a failure may tell
checking.py         is the store whole?
staleness.py        is it current, and if not, why?
combining.py        several stores as one
export.py           Parquet                      (flattening.py: a run as columns)
                    export_columns.py: which, of what types
mirroring.py        starts and stops the mirror, for the driver
  |                 mirror_target.py: whereto; ledger.py: what is there already
wandb_mirror.py     the process                  (imports wandb; nothing else does)
                    mirror_loop.py: what is sent when
"""
