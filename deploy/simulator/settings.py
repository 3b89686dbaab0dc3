"""The simulator's options: the credentials that its providers know, and whom they call back."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class SimulatorSettings(BaseSettings):
    """Read from `SHILIAN_SIMULATOR_*`."""

    model_config = SettingsConfigDict(env_prefix="SHILIAN_SIMULATOR_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8099
    sms_key_id: str = "simulated"
    sms_key_secret: str = "simulated"
    wechat_app_id: str = "wx-simulated"
    wechat_secret: str = "simulated"
    webhook_secret: str = "c2ltdWxhdGVk"
    """Base64."""
    callback_url: str = ""
    """Where notify's `web` listens; without it nothing is called back."""
    sms_callback_secret: str = "simulated"
    wechat_callback_token: str = "simulated"
    sms_limit: int = 50
    """Messages per signature, template and phone in 24 hours (isv.BUSINESS_LIMIT_CONTROL)."""
