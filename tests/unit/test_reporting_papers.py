"""The bulletin in its formats: Chinese text right, the same figures everywhere, frozen bytes."""

import json
import re
from base64 import b64decode
from datetime import timedelta
from functools import cache
from html import unescape
from io import BytesIO
from typing import Any

import pytest
import typst
from fontTools.ttLib import TTFont
from openpyxl import load_workbook
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from contracts import divisions
from contracts.trace import Category, Step
from demo import brute_lists
from demo.brute_records import Records, Span
from services.reporting.bulletin import as_html, as_json, as_pdf, as_xlsx, composing, font, league, lists, views, words
from services.reporting.bulletin.table import Figure
from services.reporting.bulletin.views import View
from tests.unit import reporting_world as world


@cache
def stored() -> dict[str, Any]:
    return world.stored(sites=1_200)


@cache
def view(division: str = "37") -> View:
    return views.view(stored(), division)


@cache
def pdf(division: str = "37") -> bytes:
    return as_pdf.render(view(division), 0)


def glyphs(data: bytes) -> set[bytes]:
    """Every two-byte glyph id that a PDF shows."""
    shown: set[bytes] = set()
    for page in PdfReader(BytesIO(data)).pages:
        for operands, operator in page.get_contents().operations:  # type: ignore[union-attr]
            if operator in (b"Tj", b"TJ"):
                parts = operands[0] if operator == b"TJ" else operands
                raw = b"".join(part.original_bytes for part in parts if hasattr(part, "original_bytes"))
                shown |= {raw[place : place + 2] for place in range(0, len(raw), 2)}
    return shown


def text_of(data: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(data)).pages).replace(" ", "")


def test_the_pdf_says_its_chinese_text_and_lacks_no_glyph() -> None:
    text = text_of(pdf())
    for said in ("山东省食品安全追溯工作通报", "统计方法", "未结断链", "济南市", "农残快检"):
        assert said in text
    assert "�" not in text
    assert glyphs(pdf())
    assert b"\0\0" not in glyphs(pdf())


def test_a_character_the_typeface_lacks_is_printed_as_geta() -> None:
    rare = "\U0002a700"
    assert font.missing(f"王{rare}饭店") == {rare}
    odd = view()._replace(summary=f"王{rare}饭店")
    told = as_pdf.render(odd, 0)
    assert "王〓饭店" in text_of(told)
    assert b"\0\0" not in glyphs(told)


def test_a_glyph_that_is_missing_all_the_same_fails_rather_than_print_a_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font, "drawable", lambda value: value)
    with pytest.raises(typst.TypstError, match="could not be displayed"):
        as_pdf.render(view()._replace(summary="王\U0002a700饭店"), 0)


def test_the_pdf_embeds_its_typefaces() -> None:
    for page in PdfReader(BytesIO(pdf())).pages:
        for found in page["/Resources"]["/Font"].values():  # type: ignore[index]
            described = found.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(described.get_object())


def test_the_same_version_gives_the_same_bytes() -> None:
    again = views.view(stored(), "3701")
    assert as_pdf.render(again, 0) == pdf("3701")
    assert as_html.render(again) == as_html.render(view("3701"))
    assert as_json.render(stored(), "3701") == as_json.render(stored(), "3701")


def test_every_paper_shows_the_same_figures() -> None:
    document = json.loads(as_json.render(stored(), "37"))
    own = next(line for line in document["lines"] if line["code"] == "37" and not line["link"])
    page = as_html.render(view()).decode()
    book = load_workbook(BytesIO(as_xlsx.render(view())))
    ranked = [[cell.value for cell in row] for row in book["排名表"].iter_rows(min_row=2)]
    assert own["score"] in page
    assert own["score"] in text_of(pdf())
    for city in (line for line in document["lines"] if line["level"] == "city" and not line["link"]):
        row = next(row for row in ranked if str(row[1]).startswith(city["name"]))
        assert row[0] == city["rank"]
        assert row[2] == float(city["score"])
        assert f"<td>{city['score']}</td>" in page


def test_scores_and_rates_are_numbers_in_the_workbook() -> None:
    book = CalamineWorkbook.from_filelike(BytesIO(as_xlsx.render(view())))
    head, best, *_ = book.get_sheet_by_name("排名表").to_python()
    told = dict(zip(head, best, strict=True))
    own = league.ranked(stored()["figures"]["lines"], "city")[0]
    assert told["得分"] == float(own["score"])
    assert told["注册率"] == pytest.approx(float(own["rates"]["registration"]))
    overview = book.get_sheet_by_name("概况与方法").to_python()
    assert next(row[1] for row in overview if row[0] == "综合得分") == float(view().cards[0].value)


@pytest.mark.parametrize(
    ("text", "value", "pattern"),
    [("87.66", 87.66, "0.00"), ("+1.20", 1.2, "+0.00;-0.00;0.00"), ("90.52%", 0.9052, "0.00%"), ("90%", 0.9, "0%")],
)
def test_a_figure_is_shown_in_the_workbook_as_on_paper(text: str, value: float, pattern: str) -> None:
    assert (Figure(text).value, Figure(text).pattern) == (value, pattern)


def test_the_workbook_keeps_every_row_of_long_lists() -> None:
    book = load_workbook(BytesIO(as_xlsx.render(view())))
    for table in view().tables:
        if table.rows:
            assert book[table.title].max_row == len(table.rows) + 1


def test_lists_name_the_oldest_of_each_county_and_the_counts_count_all() -> None:
    told = world.told(1)
    [finding, *_] = [row for row in told.findings if row["kind"] == "silent_site"]
    at = world.WINDOW.start
    many = [
        {**finding, "id": f"F{n:03}", "division": "370102", "due_at": at + timedelta(hours=n), "opened_at": at,
         "closed_at": None}
        for n in range(50)
    ]  # fmt: skip
    cases = [{**told.cases[0], "id": f"C{n:03}", "division": "370102", "opened_at": at} for n in range(50)]
    told = told._replace(findings=[*reversed(many)], cases=[*reversed(cases)])
    figures = composing.compose(world.WINDOW, world.rows(1, 10), [], [], told, {}, [])
    assert [row["id"] for row in figures["silent"]] == [f"F{n:03}" for n in range(lists.NAMED_PER_COUNTY)]
    assert [row["id"] for row in figures["cases"]] == [f"C{n:03}" for n in range(lists.NAMED_PER_COUNTY)]
    assert figures["work"]["370102"]["silent_site_opened"] == 50
    counted = Records(Span.of(world.MONTH), [], [], [{**row, "_id": row["id"], "open": True} for row in told.findings])
    assert [row["id"] for row in brute_lists.count(counted, "37")["silent"]] == [row["id"] for row in figures["silent"]]


def test_the_first_sentence_counts_all_findings_and_not_those_that_are_named() -> None:
    assert "未结断链0条" not in view().summary
    assert views.view({**stored(), "broken": [], "silent": []}, "37").summary == view().summary


def test_a_province_above_all_its_cities_says_which_rate_it_has_alone() -> None:
    figures = stored()["figures"]
    lines = [{**line} for line in figures["lines"]]
    told = "自建系统上传率只计入本级，各地均不适用，因此本级得分高于各地。"
    for line in lines:
        missing = [name for name in line["not_applicable"] if name != "upload"]
        line["not_applicable"] = missing if line["level"] == "province" else [*missing, "upload"]

    def summary(score: str) -> str:
        own = [{**line, "score": score} if line["level"] == "province" else line for line in lines]
        return views.view({**stored(), "figures": {**figures, "lines": own}}, "37").summary

    assert told in summary("99.00")
    assert told not in summary("1.00")
    assert told not in views.view({**stored(), "figures": figures}, "37").summary


def test_a_league_is_shortened_to_its_best_and_worst_a_list_to_its_beginning() -> None:
    rows: list[list[str | int]] = [[place] for place in range(1, 8)]
    league = view().tables[0]._replace(head=["名次"], rows=rows, league=True, note="")
    assert league.shortened(4).rows == [[1], [2], ["…"], [6], [7]]
    assert league.shortened(4).note == "已列前后各2行，共7条，全部见工作簿。"
    assert league._replace(league=False).shortened(4).rows == rows[:4]
    assert league.shortened(7) == league


def test_a_list_that_names_some_of_each_county_says_how_many_there_are() -> None:
    whole = view().tables[0]._replace(head=["场所"], rows=[[place] for place in range(7)], league=False, note="")
    partial = whole._replace(total=9, whole="系统")
    assert partial.shortened(4).note == "已列前4行，共9条，全部见系统。"
    assert partial.shortened(7).note == "已列7行，共9条，全部见系统。"
    assert whole._replace(total=7).shortened(4).note == "已列前4行，共7条，全部见工作簿。"


def test_the_lists_of_a_bulletin_count_what_they_leave_out() -> None:
    figures = stored()["figures"]
    own = next(line for line in figures["lines"] if line["code"] == "37" and not line["link"])
    numerator, denominator = own["counts"]["registration"]
    few = {name: figures[name][:1] for name in ("unregistered", "broken")}
    found = {table.id: table for table in views.view({**stored(), "figures": figures | few}, "37").tables}
    told = f"每县最多列20家　已列1行，共{denominator - numerator}条，全部见系统“明细下钻”。"
    assert found["unregistered"].shortened(4).note == told
    assert f"共{len(figures['broken'])}条" in found["broken"].shortened(4).note


def test_a_formula_in_a_name_stays_a_text() -> None:
    table = view().tables[0]._replace(rows=[['=HYPERLINK("x")', "@SUM(1)"]], head=["一", "二"])
    book = load_workbook(BytesIO(as_xlsx.render(view()._replace(tables=[table]))))
    assert [cell.data_type for cell in book[table.title][2]] == ["s", "s"]


def test_the_page_needs_nothing_from_elsewhere_and_escapes_names() -> None:
    page = as_html.render(view()._replace(summary="<script>alert(1)</script>")).decode()
    assert "<script>" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert '<html lang="zh-CN">' in page


def test_the_page_brings_a_glyph_for_each_of_its_characters() -> None:
    page = as_html.render(view()).decode()
    faces = re.findall(r'font-family: "Bulletin \w+"; src: url\(data:font/woff;base64,([^)]+)\)', page)
    sans, serif = ({*map(chr, TTFont(BytesIO(b64decode(face))).getBestCmap())} for face in faces)
    body = page[page.index("<body>") :]
    shown = {*unescape(re.sub(r"<[^>]+>", "", body))} - font.PLAIN
    assert shown <= sans
    assert {*view().title} <= serif
    assert len(page) < 1_000_000


def test_a_division_sees_its_own_lines_only() -> None:
    cut = composing.cut(stored()["figures"], "3702")
    assert {(line["county"] or line["code"])[:4] for line in cut["lines"]} == {"3702"}
    lists = [row for name in ("silent", "broken", "cases", "inactive", "unregistered") for row in cut[name]]
    assert {row["division"][:4] for row in lists} == {"3702"}
    assert {code[:4] for code in (*cut["trend"], *cut["work"])} == {"3702"}
    assert "370102" not in as_json.render(stored(), "3702").decode()


def test_the_best_and_the_worst_are_named_from_both_ends() -> None:
    best, worst = view().best
    counties = league.ranked(stored()["figures"]["lines"], "county")
    assert [row[0] for row in best.rows] == [str(line["rank"]) for line in counties[:5]]
    assert [row[2] for row in worst.rows] == [line["score"] for line in counties[:-6:-1]]
    assert best.rows[0][1] == "".join(divisions.path(counties[0]["code"]).split()[1:])
    assert worst.rows[0][1] in text_of(pdf())


def test_two_places_are_enough_for_a_best_and_a_worst_and_one_is_not() -> None:
    lines = stored()["figures"]["lines"]
    own = next(line for line in lines if line["level"] == "province")
    counties = [line for line in lines if line["level"] == "county" and not line["link"]]
    assert [len(column.rows) for column in league.best_and_worst(own, counties[:2])] == [1, 1]
    assert league.best_and_worst(own, counties[:1]) == []


def test_the_method_shows_how_the_score_came_about() -> None:
    table = view().dimensions
    own = next(line for line in stored()["figures"]["lines"] if line["level"] == "province" and not line["link"])
    assert [row[-1] for row in table.rows] == [*(own["points"][name] for name in league.SCORED), own["score"]]
    assert table.rows[0][:2] == ["注册率", "名录内已注册场所数÷名录内有效场所数"]
    assert "名录内已注册场所数÷名录内有效场所数" in text_of(pdf())


def test_a_first_month_has_no_trend_to_draw() -> None:
    figures = stored()["figures"]
    alone = {**figures, "trend": {code: points[-1:] for code, points in figures["trend"].items()}}
    shown = views.view({**stored(), "figures": alone}, "37")
    assert "trend" not in {chart.id for chart in shown.charts}
    assert "trend" in {chart.id for chart in view().charts}


def test_not_applicable_is_said_and_never_a_number() -> None:
    told = view("3703")
    card = next(card for card in told.cards if card.title == words.DIMENSIONS["upload"])
    assert card.value == "不适用"
    assert "自建系统上传率没有分母，记为不适用" in told.summary


def test_trend_and_change_compare_with_the_month_before() -> None:
    figures = stored()["figures"]
    assert [point["month"] for point in figures["trend"]["37"]] == [f"2026-{month:02}" for month in range(5, 11)]
    own = next(line for line in figures["lines"] if line["code"] == "37" and not line["link"])
    assert own["before"]["score"] == figures["trend"]["37"][-2]["score"]


def test_every_category_and_step_has_a_chinese_word() -> None:
    assert {*words.CATEGORIES} == {*Category} - {Category.OTHER}
    assert {*words.STEPS} == {*Step}
