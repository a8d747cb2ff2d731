from __future__ import annotations

import pytest

from bench.reporting.paper.manuscript import BEGIN, END, read

SOUND = rf"""
\documentclass[10pt]{{article}}  % 1
\begin{{document}}
In 2013 it was new.
\section{{Results}}\label{{sec:results1}}
{BEGIN}
Of \result{{cell.adding-30.lstm.l2.solved}} three solved \citep[p.~12]{{lamport1994}}; see
Figure~\ref{{fig:1}}, \autoref{{tab:2}} and Section~\ref{{sec:results1}}. % not 77
\includegraphics[width=0.9\linewidth]{{generated/figures/outcomes_1}}
\input{{generated/tables/learning_1.tex}}
\begin{{minipage}}{{0.48\textwidth}}50 \% is wrong\end{{minipage}}
{END}
\section{{Limits}}
Sixteen seeds, 16.
\end{{document}}
"""


def problems(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.problem) for fault in read(text).faults]


def test_numbers_may_stand_in_references_names_and_lengths_alone() -> None:
    (fault,) = problems(SOUND)
    assert fault[0] == 11
    assert "50" in fault[1]
    assert "0.48" not in fault[1]
    assert problems(SOUND.replace("50", "half")) == []


@pytest.mark.parametrize(
    "typed",
    [
        "9/16",
        "$p=0.03$",
        r"\textbf{12}",
        "x²",
        "½",
        r"\result{a.b} of 16",
        r"\multicolumn{3}{c}{x}",
        r"\footnote{\result{a} and 4}",
        r"100\%",
        r"\\% not a number, but 5 is" + "\n7",
        r"\emph{no % comment 8 here" + "\n} 9",
        "lstm2",
    ],
)
def test_a_number_that_is_typed_is_a_fault(typed: str) -> None:
    found = problems(SOUND.replace(r"50 \% is wrong", typed))
    assert len(found) == 1
    assert "typed by hand" in found[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "sixteen of twenty",
        r"\result{power.16.0.5.0.1}",
        "\\result{power.16\n}",
        r"\cite{a1,b2}",
        r"\Cref{tab:3}",
        r"\eqref{eq:1}",
        r"% 16",
        r"\\% 16",
    ],
)
def test_what_is_no_result_may_stand(text: str) -> None:
    assert problems(SOUND.replace(r"50 \% is wrong", text)) == []


def test_a_section_of_results_needs_markers() -> None:
    sound = SOUND.replace("50", "half")
    moved = sound.replace(BEGIN, "").replace(r"\section{Limits}", rf"\section{{Limits}}{chr(10)}")
    assert any("without" in problem for _, problem in problems(moved))
    bare = sound.replace(BEGIN, "").replace(END, "")
    found = [problem for _, problem in problems(bare)]
    assert any("section 'Results' is not between" in problem for problem in found)
    assert any("no part of the text" in problem for problem in found)
    early = sound.replace(END, "").replace("Of \\result", f"{END}\nOf \\result")
    assert [problem for _, problem in problems(early)] == [
        f"section 'Results' is not between '{BEGIN}' and '{END}'"
    ]
    more = sound.replace(r"\end{document}", "\\section*{Further results}\nNine.\n\\end{document}")
    ((line, problem),) = problems(more)
    assert "Further results" in problem
    assert more.splitlines()[line - 1] == "Nine."


def test_markers_come_in_pairs() -> None:
    sound = SOUND.replace("50", "half")
    assert any("again" in problem for _, problem in problems(sound.replace(END, BEGIN)))
    ((_, problem),) = problems(sound + f"{END}\n")
    assert problem == f"'{END}' without '{BEGIN}'"


def test_what_the_text_uses_is_found_with_its_line_and_not_in_comments() -> None:
    found = read(SOUND + "% \\result{not.this} \\input{nor/this}\n\\result{last}\\result{ too }")
    names = [(used.line, used.name) for used in found.results]
    assert names == [(7, "cell.adding-30.lstm.l2.solved"), (17, "last"), (17, "too")]
    assert [(one.name, one.paths) for one in found.inclusions] == [
        ("generated/figures/outcomes_1", ["generated/figures/outcomes_1.pdf"]),
        ("generated/tables/learning_1.tex", ["generated/tables/learning_1.tex"]),
    ]


def test_figures_are_looked_for_where_the_text_says() -> None:
    text = "\\graphicspath{{generated/figures/}{./}}\\includegraphics{a}\\input{a}"
    figure, table = read(text).inclusions
    assert figure.paths == ["a.pdf", "generated/figures/a.pdf", "a.pdf"]
    assert table.paths == ["a.tex"]
