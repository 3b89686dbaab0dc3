"""The simulated providers, from outside: how they are to behave, and what they sent to whose phone."""

from typing import Any

import httpx


class Phones:
    """What arrives on people's phones."""

    def __init__(self, simulator: str) -> None:
        self._client = httpx.Client(base_url=simulator, trust_env=False, timeout=10)

    def order(self, provider: str, **orders: Any) -> None:
        """Has a provider misbehave; without orders it behaves."""
        self._client.put(f"/control/{provider}", json=orders).raise_for_status()

    def messages(self, *addresses: str) -> list[dict[str, Any]]:
        """Messages to these phones and accounts, as their owners read them, oldest first."""
        return [
            message
            for address in addresses
            for message in self._client.get("/sent", params={"to": address}).raise_for_status().json()["messages"]
        ]

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()
