"""The words of the pages, in English and Chinese, and which of the two a reader gets.

Documents for programs are English only. Both languages have the same keys; a test holds them together.
"""

import re
from collections.abc import Mapping

ENGLISH, CHINESE = "en", "zh"
_PART = re.compile(
    r"\s*([a-z*-]{1,16})\s*(?:;\s*q=([01](?:\.\d{0,3})?))?", re.ASCII | re.IGNORECASE
)

WORDS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "home": "Start",
        "rest": "REST API",
        "socket": "WebSocket",
        "other": "中文",
        "tagline": "A message centre: notifications, broadcasts and private messages.",
        "for_developers": "For developers",
        "rest_text": "Every path, field and error, with examples, and to try out as an app or a person.",
        "socket_text": "What is pushed: frames, signing in, resuming, close codes.",
        "as_documents": "As documents for programs:",
        "for_people": "For people",
        "inbox": "Inbox",
        "inbox_text": "Read and write messages.",
        "for_operators": "For operators",
        "console": "Console",
        "console_text": "Queues, broadcasts, failed sends, apps and people, live.",
        "no_console": "The console is off: see CARILLON_CONSOLE_TOKEN in docs/settings.md.",
        "state": "State",
        "alive": "Alive",
        "ready": "Ready to take work",
        "metrics": "Metrics",
        "asking": "asking …",
        "yes": "yes",
        "no": "no",
        "state_text": "Of the processes that answer at this address. `carillon doctor` looks at all of them, workers included.",
        "version": "Version",
        "docs_title": "Carillon: the REST API",
        "socket_title": "Carillon: the WebSocket",
        "try_as": "Try it out as",
        "nobody": "nobody",
        "app": "an app",
        "person": "a person",
        "app_id": "App id",
        "secret": "Secret",
        "token": "Token",
        "check": "Check",
        "secret_text": "The secret stays in this page: it signs each request here, and is neither sent nor kept. What you send is real.",
        "token_text": "A token of this person, such as from `carillon token USER_ID`. It is not kept. What you send is real.",
        "insecure": "A browser signs only in a page that comes over https or from localhost. Open it that way, or let `carillon sign` sign.",
        "incomplete": "Fill in the fields first.",
        "checking": "Asking …",
        "accepted": "This is accepted.",
        "unreachable": "There is no answer.",
        "frame": "Frame",
        "field": "Field",
        "kind": "Kind",
        "meaning": "Meaning",
        "frames": "What is pushed",
        "heartbeat": "What a client sends",
        "connecting": "Connecting",
        "parameters": "Query parameters",
        "signing_in": "Signing in",
        "refusals": "Refused handshakes",
        "close_codes": "Close codes",
        "code": "Code",
        "status": "Status",
        "why": "Why",
        "do": "What to do",
        "name": "Name",
        "rule": "From 4000 to 4499 reconnect, from 4500 to 4999 do not: that holds for codes to come as well.",
    },
    CHINESE: {
        "home": "首页",
        "rest": "REST API",
        "socket": "WebSocket",
        "other": "English",
        "tagline": "消息中心：通知、广播与私信。",
        "for_developers": "开发者",
        "rest_text": "所有路径、字段和错误，附示例，可以应用或个人身份在线试用。",
        "socket_text": "推送的内容：帧、登录、断线续传、关闭码。",
        "as_documents": "供程序读取的文档：",
        "for_people": "使用者",
        "inbox": "收件箱",
        "inbox_text": "收发消息。",
        "for_operators": "运维",
        "console": "控制台",
        "console_text": "实时查看队列、广播、失败的发送、应用和人员。",
        "no_console": "控制台未启用：参见 docs/settings.md 中的 CARILLON_CONSOLE_TOKEN。",
        "state": "状态",
        "alive": "存活",
        "ready": "可以接收任务",
        "metrics": "指标",
        "asking": "查询中……",
        "yes": "是",
        "no": "否",
        "state_text": "此地址上应答的进程的状态。`carillon doctor` 检查所有进程，包括 worker。",
        "version": "版本",
        "docs_title": "Carillon：REST 接口",
        "socket_title": "Carillon：WebSocket 推送",
        "try_as": "试用身份",
        "nobody": "匿名",
        "app": "应用",
        "person": "个人",
        "app_id": "应用 ID",
        "secret": "密钥",
        "token": "令牌",
        "check": "检查",
        "secret_text": "密钥只留在本页：在这里为每个请求签名，不会发送，也不会保存。发送的内容是真实生效的。",
        "token_text": "此人的令牌，例如由 `carillon token USER_ID` 生成。不会保存。发送的内容是真实生效的。",
        "insecure": "浏览器只在通过 https 或 localhost 打开的页面中签名。请用这种方式打开，或使用 `carillon sign` 签名。",
        "incomplete": "请先填写各项。",
        "checking": "查询中……",
        "accepted": "验证通过。",
        "unreachable": "没有应答。",
        "frame": "帧",
        "field": "字段",
        "kind": "类型",
        "meaning": "含义",
        "frames": "推送的帧",
        "heartbeat": "客户端发送的内容",
        "connecting": "建立连接",
        "parameters": "查询参数",
        "signing_in": "登录方式",
        "refusals": "被拒绝的握手",
        "close_codes": "关闭码",
        "code": "代码",
        "status": "状态码",
        "why": "原因",
        "do": "处理方式",
        "name": "名称",
        "rule": "4000 至 4499 应重新连接，4500 至 4999 不应重连;对将来新增的关闭码同样适用。",
    },
}


def choose_language(asked: str, accept_language: bytes) -> str:
    """The language that the reader asked for, else the one of ours that the browser likes best, else English."""
    if asked in WORDS:
        return asked
    ranked = []
    for place, part in enumerate(accept_language.decode("latin-1")[:500].split(",")):
        if match := _PART.fullmatch(part.strip()):
            language = match[1].lower().partition("-")[0]
            ranked.append((-float(match[2] or 1), place, language))
    liked = (language for weight, _, language in sorted(ranked) if weight < 0)
    return next((language for language in liked if language in WORDS), ENGLISH)
