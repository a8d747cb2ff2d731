"""Bad input: refused in one line that says what, where and how to mend it; nothing is written."""

from __future__ import annotations

import os

import pytest

from bench.planning import plan
from bench.records import BadInput

TASK = "task=adding"
CLIP = "mitigation=clip_norm"
THRESHOLD = "mitigation.clip_norm.threshold"

REFUSED = [
    # names
    ([], "nothing is selected; name at least one, task=NAME (see: bench list tasks)"),
    (["task=[]"], "task=[]: nothing is selected"),
    (["task=null"], "task=[]: nothing is selected"),
    ([TASK, "mitigation=[]"], "mitigation=[]: nothing is selected"),
    ([TASK, "architecture=glob(x*)"], "architecture=[]: nothing is selected"),
    (["task=addin"], "task=addin: there is no such task (did you mean adding?)"),
    ([TASK, "architecture=rnn_tan"], "there is no such architecture (did you mean rnn_tanh?)"),
    ([TASK, "mitigation=clipnorm"], "did you mean clip_norm?"),
    ([TASK, "mitigation=none,l2+clipnorm"], "did you mean clip_norm?"),
    ([TASK, "mitigation=l2+"], "mitigation=l2+: a name is missing beside +"),
    ([TASK, "optimizer=sdg"], "did you mean sgd?"),
    ([TASK, "experiment=smok"], "there is no such experiment (did you mean smoke?)"),
    ([TASK, "protocol=fix"], "there is no such protocol (did you mean fixed?)"),
    ([TASK, "executor=loca"], "there is no such executor (did you mean local?)"),
    ([TASK, "logger=wandbb"], "there is no such logger (did you mean wandb?)"),
    ([TASK, "executor=null"], "executor=null: there is no such executor"),
    # keys
    ([TASK, "lenght=5"], "lenght=5: there is no such key (did you mean length?)"),
    ([TASK, "task.copy_memory.length=5"], "copy_memory is not selected (task=adding)"),
    ([TASK, "depth=50"], "depth=50: none of the selected members has it (adding, rnn_tanh"),
    ([TASK, "logger.mode=online"], "logger=none has no such setting; choose another logger"),
    # numbers
    ([TASK, CLIP, f"{THRESHOLD}=0"], f"{THRESHOLD}=0: must be a number above 0, inf allowed"),
    ([TASK, CLIP, f"{THRESHOLD}=-1"], f"{THRESHOLD}=-1: must be a number above 0"),
    ([TASK, CLIP, f"{THRESHOLD}=nan"], f"{THRESHOLD}=nan: must be a number above 0"),
    ([TASK, CLIP, f"{THRESHOLD}=1,0"], f"{THRESHOLD}=0: must be"),
    ([TASK, CLIP, f"{THRESHOLD}=null"], f"{THRESHOLD}=null: must be"),
    ([TASK, CLIP, f"{THRESHOLD}=big"], f"{THRESHOLD}=big: must be a number above 0"),
    ([TASK, CLIP, f"{THRESHOLD}=true"], f"{THRESHOLD}=true: must be a number above 0"),
    ([TASK, CLIP, f"{THRESHOLD}='1.0'"], f"{THRESHOLD}='1.0': is a text; a number stands"),
    ([TASK, CLIP, f"{THRESHOLD}=-inf"], f"{THRESHOLD}=-inf: must be a number above 0, inf allowed"),
    ([TASK, "length=0123"], "length='0123': begins with 0, so it is a text; write 123; must be"),
    ([TASK, "seeds=[01,2]"], "seeds='01': begins with 0"),
    ([TASK, "length=1:40"], "length=1:40: must be a whole number"),
    ([TASK, "length=0x10"], "length=0x10: must be a whole number"),
    ([TASK, "length=???"], "length=???: ??? stands for a value that is missing"),
    ([TASK, "results='???'"], "??? stands for a value that is missing"),
    ([TASK, "lr=1e999"], "lr=inf: must be a number above 0, finite (optimizer sgd)"),
    ([TASK, "lr=-inf"], "lr=-inf: must be a number above 0"),
    ([TASK, "lr=nan"], "lr=nan: must be a number above 0 (optimizer sgd)"),
    ([TASK, "lr=1e-400"], "lr=0.0: must be a number above 0"),
    ([TASK, "lr=[]"], "lr=[]: holds no value"),
    ([TASK, "lr={}"], "lr={}: must be a number above 0"),
    ([TASK, "lr="], "lr=: must be a number above 0"),
    ([TASK, "length=0"], "length=0: must be a whole number at least 2 (task adding)"),
    (["task=copy_memory", "length=0"], "length=0: must be a whole number at least 1"),
    ([TASK, "length=10.5"], "length=10.5: must be a whole number at least 2"),
    ([TASK, "steps=0"], "steps=0: must be a whole number at least 1"),
    ([TASK, f"steps={'9' * 30}"], "at most 2^53"),
    ([TASK, f"lr={'9' * 400}"], "must be a number above 0, and at most 2^53"),
    ([TASK, "architecture.rnn_tanh.kind=gausian"], "(did you mean gaussian?)"),
    # runs
    ([TASK, "seeds=0"], "seeds=0: must be a whole number at least 1"),
    ([TASK, "seeds=-3"], "seeds=-3: must be a whole number at least 1"),
    ([TASK, "seeds=1.5"], "seeds=1.5: must be a whole number at least 1"),
    ([TASK, "seeds=null"], "seeds=null: must be a whole number at least 1"),
    ([TASK, "seeds=2000000"], "seeds=2000000: at most 1,000,000 seeds"),
    ([TASK, "seeds=[]"], "seeds=[]: holds no seed"),
    ([TASK, "seeds=[3,-7]"], "seeds=-7: must be a whole number at least 0"),
    ([TASK, "seeds=[3,7,3]"], "seeds=[3,7,3]: 3 stands there twice"),
    ([TASK, "seeds=1000000", "lr=0.1,0.2"], "more than 1,000,000 runs"),
    ([TASK, "dtype=float16"], "dtype=float16: must be one of float32, float64"),
    ([TASK, "device=cuda"], "device=cuda: only cpu for now"),
    ([TASK, "device=cpu,cuda"], "only cpu for now"),
    ([TASK, "stop_on_solved=1"], "stop_on_solved=1: must be true or false"),
    ([TASK, "protocol.window=0"], "protocol.window=0: must be a whole number at least 1"),
    ([TASK, "protocol.evaluations=2"], "protocol.solved_checks=3: more than there are evaluations"),
    ([TASK, "steps=2"], "steps=2: fewer updates (task adding) than evaluations that must meet"),
    ([TASK, "steps=2,50"], "raise it to 3, or give protocol.solved_checks=2"),
    (["task=[adding,copy_memory]", "task.copy_memory.steps=1"], "task.copy_memory.steps=1: fewer"),
    ([TASK, "steps=9", "protocol.solved_checks=2,10"], "raise it to 10, or give"),
    ([TASK, "task.adding.evaluation_size=99"], "=99: must be a whole number at least 100"),
    ([TASK, "architecture.rnn_tanh.gain=1e39"], "must be a number at least 0.001 and at most"),
    ([TASK, "hidden_size=200000"], "(rnn_tanh on adding): a run needs about"),
    ([TASK, "hidden_size=200000"], "available; make one of them smaller"),
    ([TASK, f"hidden_size={2**53}"], f"hidden_size={2**53} num_layers=1 length=100"),
    # what is no part of a run
    ([TASK, "executor.workers=0"], "executor.workers=0: must be a whole number at least 1"),
    ([TASK, "executor.workers=1,2"], "executor.workers=[1,2]: takes one value"),
    ([TASK, "executor.timeout=0"], "executor.timeout=0: must be a number above 0"),
    ([TASK, "logger=wandb", "logger.mode=onlin"], "(did you mean online?)"),
    ([TASK, "results=a,b"], "results=[a,b]: must be one folder"),
    ([TASK, "results="], "results=: must be one folder"),
    ([TASK, "results={}"], "results={}: must be one folder"),
    ([TASK, "results=-x"], "results=-x: other commands would take a folder whose name begins"),
    ([TASK, "results=./-x"], "for an option; give its whole path, or another name"),
    # what cannot work together
    ([TASK, "architecture=mlp"], "task=adding architecture=mlp: adding is a sequence, mlp takes a"),
    (["task=digits", "architecture=lstm"], "residual_mlp); nothing is left to run"),
    ([TASK, "mitigation=none+l2"], "mitigation=none+l2: none stands alone"),
    ([TASK, "mitigation=l2+l2"], "mitigation=l2+l2: l2 stands there twice"),
    ([TASK, "mitigation=none,orthogonal+identity"], "both set the initial weights; keep one"),
    # references
    ([TASK, "lr=${nowhere}"], "lr=${nowhere}: ${nowhere} is no key of this config"),
    ([TASK, "lr=${lr}"], "lr=${lr}: ${lr} refers to itself"),
    ([TASK, "lr=${steps}", "steps=${lr}"], "refers to itself"),
    ([TASK, "steps=${length}", "length=10,20"], "${length} has several values"),
]


@pytest.mark.parametrize(("overrides", "fragment"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused_in_one_line(overrides, fragment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        plan(overrides)
    assert fragment in str(caught.value)
    assert "inf allowed, finite" not in str(caught.value)
    assert str(caught.value).isprintable()  # so it is one line
    assert len(str(caught.value)) < 500
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("overrides", [["steps=3"], ["steps=1", "protocol.solved_checks=1"]])
def test_the_shortest_run_that_can_be_solved_is_planned(overrides):
    (spec,) = plan([TASK, "seeds=1", *overrides]).runs
    assert spec.solved_checks == spec.steps


def test_infinity_is_a_threshold_where_the_schema_says_so():
    planned = plan([TASK, CLIP, f"{THRESHOLD}=inf,1e999", "seeds=1"])
    assert [spec.mitigation[0].settings for spec in planned.runs] == [{"threshold": float("inf")}]
