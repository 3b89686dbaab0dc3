"""Signatures against vectors that their owners publish."""

from hashlib import sha256

from services.notify.signing import acs3_authorization, canonical_query, webhook_signature, wechat_signature

# Alibaba Cloud SDK, "Request syntax and signature method V3", fixed-parameter example.
ACS3_QUERY = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
ACS3_HEADERS = {
    "host": "ecs.cn-shanghai.aliyuncs.com",
    "x-acs-action": "RunInstances",
    "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "x-acs-date": "2023-10-26T10:22:32Z",
    "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
    "x-acs-version": "2014-05-26",
}
ACS3_SIGNATURE = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"

# WeCom's message-encryption sample (WXBizMsgCrypt): the same SHA-1 over sorted parts, four of them.
WXBIZ_TOKEN, WXBIZ_STAMP, WXBIZ_NONCE = "QDG6eK", "1409659813", "1372623149"
WXBIZ_CIPHER = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJ"
    "Ts3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2"
    "hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4"
    "EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ"
    "2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)

# Standard Webhooks, reference libraries' test vector.
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_acs3_signature_is_alibabas_published_one() -> None:
    signed = acs3_authorization("POST", "/", ACS3_QUERY, ACS3_HEADERS, b"", "YourAccessKeyId", "YourAccessKeySecret")
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    assert signed == f"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={names},Signature={ACS3_SIGNATURE}"


def test_acs3_signature_depends_on_every_part() -> None:
    def sign(query: dict[str, str] = ACS3_QUERY, body: bytes = b"", **headers: str) -> str:
        signed = {**ACS3_HEADERS, "x-acs-content-sha256": sha256(body).hexdigest(), **headers}
        return acs3_authorization("POST", "/", query, signed, body, "id", "secret")

    signatures = {sign(), sign({"RegionId": "cn-hangzhou"}), sign(body=b"x"), sign(host="dysmsapi.aliyuncs.com")}
    assert len(signatures) == 4


def test_canonical_query_is_percent_encoded_as_rfc_3986_has_it() -> None:
    assert canonical_query({"b": "一 *", "a": "~/"}) == "a=~%2F&b=%E4%B8%80%20%2A"


def test_webhook_signature_is_the_published_one() -> None:
    signed = webhook_signature(WEBHOOK_SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_wechat_signature_is_the_published_one() -> None:
    parts = (WXBIZ_TOKEN, WXBIZ_STAMP, WXBIZ_NONCE, WXBIZ_CIPHER)
    assert wechat_signature(parts) == "477715d11cdb4164915debcba66cb864d751f3e6"
    assert wechat_signature(parts[::-1]) == wechat_signature(parts)
