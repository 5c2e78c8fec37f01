"""What has happened in the example that `carillon demo --open` shows: who wrote what to whom, and what the apps told. Pure.

Everything is in order: `BEFORE` has been read when the inbox is opened, `NEW` has not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ingest.inbox.demo_people import LIN, MEI, TAO, DemoPerson
from ops.cli.demo import drawings
from ops.cli.demo.company import APPROVALS, CALENDAR, DAVID, FANG, HELP_DESK, JING, SARAH, WEI, YANG
from storage.model.message import CardState


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that somebody sends: its name on their machine, and how its bytes are made."""

    filename: str
    media_type: str
    make: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """What one person writes to another, or a file that they send."""

    sender: DemoPerson
    receiver: DemoPerson
    content: str | Attachment


@dataclass(frozen=True, slots=True)
class Notice:
    """What an app tells a person; `path` is where its button leads in the app, None: no button.

    `state` is a card's (contract §8). Of one that is PENDING the path is the app's name for the matter: the app changes the
    card when its button was pressed.
    """

    app_id: str
    receiver: DemoPerson
    title: str
    content: str | dict[str, object]
    path: str | None = None
    action_text: str = "立即处理"
    state: CardState | None = None
    state_text: str | None = None


Event = Line | Notice

VIEW = Attachment("西湖的傍晚.png", "image/png", drawings.draw_lake)
CHART = Attachment("Sign-ups per week.png", "image/png", drawings.draw_chart)
PLAN = Attachment(
    "预算草案 2027.pdf", "application/pdf", partial(drawings.write_pdf, "Budget 2027, draft 3")
)


def _chat(one: DemoPerson, other: DemoPerson, *lines: tuple[str, str | Attachment]) -> list[Event]:
    """A conversation of two: lines that begin with ">" are `one`'s, with "<" the `other`'s."""
    return [
        Line(one, other, content) if who == ">" else Line(other, one, content)
        for who, content in lines
    ]


BEFORE: tuple[Event, ...] = (
    *_chat(
        SARAH,
        MEI,
        (">", "Hi Mei, welcome to the project! I am your contact in London."),
        ("<", "Hello Sarah, thank you! Glad to be on board."),
        (">", "Have you seen the numbers of the pilot? They are better than we hoped."),
        (">", CHART),
        ("<", "Wow. Is that with the campaign of October or without?"),
        (">", "Without. The campaign only starts on Monday."),
        ("<", "Then we should talk about servers soon 😄"),
        (">", "Already in your calendar, Thursday 16:00 your time."),
    ),
    Notice(
        CALENDAR,
        MEI,
        "新会议 New meeting",
        {"主题": "Capacity for the launch", "时间": "周四 16:00–16:45", "地点": "线上 Online", "发起人": "Sarah Mitchell"},
        "/meetings/311",
        "接受 Accept",
    ),
    *_chat(
        LIN,
        MEI,
        (">", "梅梅,周末你们去哪儿玩了?"),
        ("<", "去了杭州,天气特别好。"),
        ("<", VIEW),
        (">", "太美了!这是西湖吗?"),
        ("<", "对,傍晚在苏堤上拍的。"),
        (">", "下次叫上我啊 🙋"),
        ("<", "一定一定。"),
        (">", "对了,周三的分享会你讲什么?"),
        ("<", "讲消息中心怎么接入,大概二十分钟。"),
        (">", "正好,我们组下个月也要接。讲完把材料发我?"),
        ("<", "没问题,我整理一下发你。"),
    ),
    Notice(
        APPROVALS,
        MEI,
        "请假申请已通过",
        {"申请人": "演示 梅", "类型": "年假", "时间": "10月9日 至 10月12日", "天数": 4, "审批人": "王芳"},
        "/leave/208",
        "查看",
        CardState.DONE,
        "已由王芳批准",
    ),
    *_chat(
        FANG,
        MEI,
        (">", "小梅,2027 年的预算草案我放在附件里了,你先看看第三部分。"),
        (">", PLAN),
        ("<", "收到,我今天下午看。"),
        (">", "不急,周五之前给我意见就行。"),
        ("<", "第三部分我看完了,培训费用是不是少算了一期?"),
        (">", "你说得对,应该是四期。我改一下。"),
        ("<", "另外服务器那一项,Sarah 那边的数据出来了,可能要加两台。"),
        (">", "好,让她把数字发给我。"),
        ("<", "已经跟她说了。"),
    ),
    Notice(
        HELP_DESK,
        MEI,
        "工单已解决 Ticket solved",
        {"工单": "IT-4821", "问题": "会议室投影无法连接", "处理人": "服务台 张工", "用时": "38 分钟"},
        "/tickets/4821",
        "评价 Rate it",
    ),
    *_chat(
        DAVID,
        MEI,
        (">", "Quick question: which time zone does the API use in created_at?"),
        ("<", "The deployment's, UTC by default. Use created_at_ms and you never have to think about it."),
        (">", "Perfect, that is what I wanted to hear. Cheers!"),
        ("<", "👍"),
    ),
    *_chat(
        TAO,
        MEI,
        (">", "梅姐,新版收件箱能看到对方已读吗?"),
        ("<", "可以,自己发的消息旁边有标记。"),
        (">", "太好了,那我就不用打电话催了哈哈"),
        ("<", "😂"),
    ),
    *_chat(
        LIN,
        TAO,
        (">", "涛哥,接口文档的链接发我一下?"),
        ("<", "在 /docs,可以直接在页面上试。"),
        (">", "好的,谢谢!"),
    ),
)  # fmt: skip

NEW: tuple[Event, ...] = (
    *_chat(
        JING,
        MEI,
        (">", "你好,我是人事部的李静。"),
        (">", "下周一的新员工培训想请你讲半小时,介绍一下消息中心,可以吗?"),
    ),
    Notice(
        HELP_DESK,
        MEI,
        "计划维护 Planned maintenance",
        "本周六 22:00–24:00 升级邮件网关,期间可能收不到外部邮件。\nThe mail gateway is upgraded on Saturday, 22:00 to 24:00.",
    ),
    *_chat(
        WEI,
        MEI,
        (">", "梅,华东渠道会议的报销单我提交了,麻烦有空批一下 🙏"),
        (">", "发票都在里面,一共 12,480 元。"),
    ),
    Notice(
        APPROVALS,
        MEI,
        "报销单待您审批",
        {
            "申请人": "陈伟",
            "金额": "¥12,480.00",
            "项目": "华东区域渠道会议",
            "明细": {"差旅": "¥8,200.00", "住宿": "¥4,280.00"},
            "附件": ["发票.pdf", "行程单.pdf"],
        },
        "/expenses/1482",
        "立即处理",
        CardState.PENDING,
    ),
    Notice(
        APPROVALS,
        MEI,
        "Leave request",
        {"Applicant": "David Okafor", "Kind": "Annual leave", "From": "14 December", "To": "18 December", "Days": 5},
        "/leave/231",
        "Decide",
        CardState.PENDING,
    ),
    Notice(
        APPROVALS,
        LIN,
        "采购申请已提交",
        {"申请人": "演示 林", "物品": "27 寸显示器", "数量": 12, "状态": "待王芳审批"},
        "/purchases/77",
        "查看",
    ),
    *_chat(YANG, MEI, (">", "中午一起吃饭吗?楼下新开了一家面馆 🍜")),
    *_chat(
        FANG,
        TAO,
        (">", "小涛,周报记得今天下班前交。"),
    ),
    Notice(
        CALENDAR,
        MEI,
        "会议提醒 Reminder",
        {"主题": "周三分享会:如何接入消息中心", "时间": "周三 14:00–15:00", "地点": "三楼 西湖厅"},
        "/meetings/298",
        "加入 Join",
    ),
)  # fmt: skip

# To everyone, last of all: when it is there, so is the whole example.
BROADCAST_APP = HELP_DESK
BROADCAST_TITLE = "欢迎使用新版收件箱 Welcome to the new inbox"
BROADCAST = (
    "消息、通知和公告现在都在一个地方。试着给同事写一条消息,他们会回复的。\n"
    "Messages, notices and announcements are in one place now. Write to a colleague: they answer."
)
