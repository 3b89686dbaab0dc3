"""Chinese words of the bulletin."""

from typing import Final

from contracts import steps

DIMENSIONS: Final = {
    "registration": "注册率",
    "activity": "活跃率",
    "coverage": "10＋3覆盖率",
    "upload": "自建系统上传率",
    "activation": "激活率",
}
LINKS: Final = {
    "production": "生产环节",
    "circulation": "流通环节",
    "catering": "餐饮环节",
    "special_food": "特食环节",
    "": "全部环节",
}
CATEGORIES: Final = {
    "vegetable": "蔬菜",
    "fruit": "水果",
    "aquatic": "水产品",
    "grain": "粮食及其制品",
    "meat": "肉制品",
    "dairy": "乳制品",
    "edible_oil": "食用油",
    "liquor": "酒类",
    "health_food": "保健食品",
    "infant_formula": "婴幼儿配方食品",
}
STEPS: Final = steps.TITLES
TESTS: Final = {"residue_quick": "农残快检", "clenbuterol_quick": "瘦肉精快检", "laboratory": "实验室抽检"}
CHANNELS: Final = {"wechat": "微信", "sms": "短信", "wecom": "企业微信", "webhook": "系统回调", "in_app": "站内信"}
DELIVERY: Final = {
    "held": "待汇总",
    "bundled": "已汇总",
    "pending": "待发送",
    "sending": "发送中",
    "sent": "已发送",
    "delivered": "已送达",
    "read": "已读",
    "failed": "失败",
    "unknown": "结果不明",
}
GATES: Final = {
    "cause_not_found": "原因未查清",
    "people_not_punished": "责任人未处理",
    "lesson_not_given": "警示教育未开展",
    "measures_not_carried_out": "整改措施未落实",
}
CASES: Final = {"open": "办理中", "closed": "已结案"}
TAGS: Final = {"demonstration": "★", "candidate": "☆"}
TAG_NAMES: Final = {"demonstration": "（★示范城市）", "candidate": "（☆创建城市）"}
LEVELS: Final = {"province": "省", "city": "市", "county": "县（市、区）", "station": "监管所"}
NOT_APPLICABLE: Final = "不适用"
