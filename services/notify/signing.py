"""The signatures of providers and receivers. No I/O."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha1, sha256
from typing import Final
from urllib.parse import quote

ACS3: Final = "ACS3-HMAC-SHA256"


def acs3_authorization(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    key_secret: str,
) -> str:
    """Alibaba Cloud's signature V3 as the `Authorization` header.

    `headers` are all that is signed, lower case: host, content-type and every `x-acs-`, among them
    `x-acs-content-sha256` of the body. (Alibaba Cloud SDK, "Request syntax and signature method V3".)
    """
    names = sorted(headers)
    canonical = "\n".join(
        (
            method,
            path,
            canonical_query(query),
            "".join(f"{name}:{headers[name].strip()}\n" for name in names),
            ";".join(names),
            sha256(body).hexdigest(),
        )
    )
    to_sign = f"{ACS3}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key_secret.encode(), to_sign.encode(), sha256).hexdigest()
    return f"{ACS3} Credential={key_id},SignedHeaders={';'.join(names)},Signature={signature}"


def canonical_query(query: Mapping[str, str]) -> str:
    """Sorted by name, percent-encoded as RFC 3986 has it."""
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def webhook_signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """Standard Webhooks: HMAC-SHA256 over id, Unix seconds and body; `secret` is Base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, told, sha256).digest()).decode()


def wechat_signature(parts: Sequence[str]) -> str:
    """What WeChat signs its callbacks with: SHA-1 over token, timestamp and nonce (and cipher text), sorted."""
    return sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def same(one: str, other: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
