"""Options every process understands, read from `SHILIAN_*` environment variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Options shared by all processes; a service adds its own in its `settings.py`.

    Ports of 0 let the system choose. `batch_size` is in messages, every `*_ms` in milliseconds, every `*_s` in
    seconds.
    """

    model_config = SettingsConfigDict(env_prefix="SHILIAN_", extra="ignore", frozen=True)

    instance: str = "shilian"
    log_level: str = "INFO"
    amqp_url: str = "amqp://guest:guest@127.0.0.1:5672/shilian"
    mongo_url: str = "mongodb://127.0.0.1:27017/shilian?replicaSet=rs0"

    http_host: str = "127.0.0.1"
    http_port: int = 0
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 0

    batch_size: int = Field(default=500, ge=1, le=5_000)
    linger_ms: int = Field(default=20, ge=0, le=5_000)
    quiet_ms: int = Field(default=150, ge=10, description="silence that ends the drain of a consumer's window")
    hold_s: float = Field(default=60.0, gt=0, description="outage after which a subscription is dropped")
    confirm_timeout_s: float = Field(default=30.0, gt=0)
    drain_s: float = Field(default=20.0, gt=0)
    relay_scan_s: float = Field(default=2.0, gt=0)
    search_s: float = Field(default=5.0, gt=0, description="how often a worker searches for cyclic garbage")
    timer_s: float = Field(default=1.0, gt=0, description="how often due rows are looked for")

    deadline_s: float = Field(default=10.0, gt=0, description="used when a caller sets no deadline")
    max_deadline_s: float = Field(default=60.0, gt=0)
    jwt_public_key_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
