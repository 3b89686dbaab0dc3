"""The papers that travel with goods, under the names that senders give them."""

from typing import Any

import pytest

from contracts.papers import FORMS, PAPERS, Paper, form_of, kind_of
from tests.unit.wired import SHOP, one_record


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("承诺达标合格证", "conformity"),
        ("合格证", "conformity"),
        ("检验报告", "inspection"),
        ("农残快检报告", "inspection"),
        ("动物检疫合格证明(动物B)", "quarantine"),
        ("动物检疫申报单", "quarantine_application"),
        ("检疫申请表", "quarantine_application"),
        ("肉品品质检验合格证", "meat"),
        ("入境货物检验检疫证明", "import"),
        ("进口货物报关单", "import"),
        ("重点液态食品道路散装运输准运证", "bulk_permit"),
        ("meat", "meat"),
        ("有机产品认证", "有机产品认证"),
    ],
)
def test_a_paper_is_known_by_its_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize("paper", PAPERS)
def test_a_papers_own_name_is_understood(paper: Paper) -> None:
    assert kind_of(paper.zh) == kind_of(paper.kind) == paper.kind


@pytest.mark.parametrize("form", FORMS)
def test_a_quarantine_certificates_form_is_read_from_its_name(form: str) -> None:
    assert form_of(None, f"动物检疫合格证明({FORMS[form]})") == form_of(form) == form


def test_the_form_given_counts_before_the_name() -> None:
    assert form_of("产品b", "动物检疫合格证明(动物A)") == "product_b"
    assert form_of(None, None) is None


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("market.entry_ticket", {"stall": SHOP, "lines": [{"batch_no": "B1"}]}),
        ("catering.purchase_inspection", {"site": SHOP, "lines": [{"batch_no": "B1"}]}),
        ("one_network.receipt", {"receiver": SHOP, "lines": [{"batch_no": "B1"}]}),
        ("docking.capture", {"lines": [{"step": "收货", "site": SHOP, "outputs": [{"batch_no": "B1"}]}]}),
    ],
)
def test_a_paper_keeps_all_it_says_in_every_format(type: str, body: Any) -> None:
    paper = {
        "证明种类": "动物检疫合格证明（产品Ａ）",
        "证号": "37-0001",
        "出具单位": "章丘区动物卫生监督所",
        "签发日期": "2024-03-14",
        "有效期至": "2024-03-21",
        "数量": "３２０公斤",
    }
    head = {"time": "2024-03-15 05:00", "certificates": [paper]}
    sent = {"lines": [{**body["lines"][0], **head}]} if type == "docking.capture" else {**head, **body}
    [document] = one_record(type, sent).documents
    assert document.model_dump(mode="json") == {
        "kind": "quarantine",
        "number": "37-0001",
        "form": "product_a",
        "issuer": "章丘区动物卫生监督所",
        "issued_on": "2024-03-14",
        "valid_until": "2024-03-21",
        "quantity": "320",
        "unit": "KGM",
    }


@pytest.mark.parametrize("written", ["若干", "-5公斤", {"x": 1}])
def test_a_papers_doubtful_figure_refuses_no_record(written: Any) -> None:
    sent = {
        "time": "2024-03-15 05:00",
        "stall": SHOP,
        "lines": [{"batch_no": "B1", "certificates": [{"number": "1", "quantity": written}]}],
    }
    [document] = one_record("market.entry_ticket", sent).documents
    assert (document.number, document.quantity) == ("1", None)
