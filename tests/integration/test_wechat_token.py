"""WeChat's access_token between callers on the real store: fetched by one of them at a time, and not again."""

from typing import Any

from pymongo.database import Database

from services.notify.channels.http import Http
from services.notify.channels.wechat import Tokens
from services.notify.settings import NotifySettings


def test_a_token_fetched_since_it_was_looked_at_is_not_fetched_again(db: Database[dict[str, Any]]) -> None:
    settings = NotifySettings(wechat_app_id="wx1")
    tokens = Tokens(settings, Http(settings.http_timeout_s, 1), db["tokens"])
    db["tokens"].insert_one({"_id": "wx1", "token": "new"})
    assert not tokens._claim("old")
    assert not tokens._claim(None)
    assert tokens._claim("new")
    assert not tokens._claim("new")


def test_the_first_caller_of_all_fetches(db: Database[dict[str, Any]]) -> None:
    settings = NotifySettings(wechat_app_id="wx1")
    tokens = Tokens(settings, Http(settings.http_timeout_s, 1), db["tokens"])
    assert tokens._claim(None)
    assert not tokens._claim(None)
