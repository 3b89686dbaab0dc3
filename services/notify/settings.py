"""Notify's options: the providers' addresses, keys and limits. Limits are Alibaba's and WeChat's defaults."""

from pydantic import Field, SecretStr

from chassis.settings import Settings


class NotifySettings(Settings):
    """Read from `SHILIAN_*`. Rates are in messages per second, over all workers."""

    sms_url: str = "https://dysmsapi.aliyuncs.com"
    sms_key_id: str = ""
    sms_key_secret: SecretStr = SecretStr("")
    sms_sign_name: str = "食链监管"
    sms_codes: dict[str, str] = Field(default_factory=dict)
    """Template codes of the account by event, where they differ from those in templates.toml."""
    sms_rate: float = Field(default=100.0, gt=0)
    sms_notices: int = Field(default=50, ge=1, description="per signature, template and phone in rolling 24 hours")
    sms_ask_after_s: float = Field(
        default=60.0,
        gt=0,
        description="from an answer that was lost to the first QuerySendDetails. The provider shows a message there "
        "with a delay; asked before that it says that it has none, and the message goes out twice. Rather long",
    )
    sms_callback_secret: SecretStr = SecretStr("")

    wechat_url: str = "https://api.weixin.qq.com"
    wechat_app_id: str = ""
    wechat_secret: SecretStr = SecretStr("")
    wechat_template: str = ""
    wechat_one_time: bool = False
    """Each message needs a grant of its recipient (一次性订阅)."""
    wechat_rate: float = Field(default=100.0, gt=0)
    wechat_callback_token: SecretStr = SecretStr("")

    wecom_url: str = "https://qyapi.weixin.qq.com"
    wecom_rate: float = Field(default=0.33, gt=0, description="a robot takes 20 a minute")

    webhook_rate: float = Field(default=50.0, gt=0)

    send_batch: int = Field(default=200, ge=1, le=2_000)
    send_at_once: int = Field(default=64, ge=1, le=1_000, description="requests in flight per worker and channel")
    send_lease_s: float = Field(default=90.0, gt=0, description="after which a sender counts as dead")
    http_timeout_s: float = Field(default=10.0, gt=0)

    grpc_notify: str = "127.0.0.1:50051"
    """Where `web` finds notify's own api."""
    api_token: SecretStr = SecretStr("")
    """The token of role `system` that `web` calls it with."""
