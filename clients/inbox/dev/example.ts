/** A lively example: a few conversations as they are in an office. */
import type { ApiConversation, Message } from "@carillon/client";
import { makeMessage, type FakeData } from "./fake-client";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A picture of its own, so that nothing is fetched from elsewhere. */
function drawPicture(width: number, height: number, hue: number): string {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  if (!pen) return "";
  const sky = pen.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 70% 82%)`);
  sky.addColorStop(1, `hsl(${hue + 40} 65% 60%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, width, height);
  for (let hill = 0; hill < 4; hill++) {
    pen.fillStyle = `hsl(${hue + 90 - hill * 12} ${30 + hill * 6}% ${52 - hill * 10}%)`;
    pen.beginPath();
    pen.moveTo(0, height);
    for (let x = 0; x <= width; x += 8) pen.lineTo(x, height * (0.55 + hill * 0.11) + Math.sin(x / (70 - hill * 9) + hill * 2) * height * 0.08);
    pen.lineTo(width, height);
    pen.fill();
  }
  return canvas.toDataURL("image/png");
}

type Line = [ago: number, who: "me" | "them", content: string, more?: Partial<Message>];

export function makeExample(language: "en" | "zh", now = Date.now()): FakeData {
  let id = 1000;
  const zh = language === "zh";
  const t = (en: string, chinese: string): string => (zh ? chinese : en);
  const messages = new Map<number, Message[]>();
  const conversations: ApiConversation[] = [];

  function add(peer: number, name: string, username: string, unread: number, lines: Line[]): void {
    const all = lines.map(([ago, who, content, more]): Message => ({
      ...makeMessage(peer, id++),
      app_name: peer < 0 ? name : null,
      content,
      is_mine: who === "me",
      created_at_ms: now - ago,
      is_read: true,
      ...more,
    }));
    for (const one of all.filter((message) => !message.is_mine).slice(all.length ? -unread || all.length : 0)) if (unread) one.is_read = false;
    messages.set(peer, all);
    const last = all.at(-1);
    if (last) conversations.push({ user_id: peer, username, full_name: name, unread_count: unread, last_message: last.content, last_message_type: last.content_type, updated_at: "", updated_at_ms: last.created_at_ms, is_system: peer <= 0, app_id: peer < 0 ? -peer : null, app_name: peer < 0 ? name : null });
  }

  const card = (items: Record<string, unknown>): string => JSON.stringify(items);
  add(31002, t("Lin Yue", "林悦"), "13900031002", 0, [
    [DAY + 3 * HOUR, "them", t("Morning! Did you see the plan for the spring release?", "早!春季版本的计划你看了吗?")],
    [DAY + 3 * HOUR - MINUTE, "them", t("I put the whole list into the wiki: https://wiki.example.com/spring", "我把清单都放到 wiki 了:https://wiki.example.com/spring")],
    [DAY + 2 * HOUR, "me", t("Yes, it looks good. Two remarks about the dates, I'll write them down.", "看了,不错。日期有两点意见,我写下来发你。")],
    [DAY + 2 * HOUR - MINUTE, "them", t("Thank you 🙏", "谢谢 🙏")],
    [3 * HOUR, "me", t("Here are the remarks", "意见在这里"), {}],
    [3 * HOUR - 10_000, "me", "https://files.example.com/x", { content_type: "FILE", filename: t("Remarks on the spring release.pdf", "春季版本意见.pdf") }],
    [2 * HOUR, "them", t("Got it. I walked past the new office on the way, look at that view:", "收到。路上经过新办公室,看看这风景:")],
    [2 * HOUR - 20_000, "them", drawPicture(900, 600, 200), { content_type: "IMAGE", filename: "view.png" }],
    [100 * MINUTE, "me", "😍"],
    [99 * MINUTE, "me", t("When do we move?", "我们什么时候搬?")],
    [12 * MINUTE, "them", t("Probably in March. I'll tell you as soon as it is decided, and then we all choose our desks together.\n\nUntil then: keep it to yourself!", "大概三月。一定下来就告诉你,到时候大家一起选座位。\n\n在那之前先保密哦!")],
    [5 * MINUTE, "me", t("Of course. See you at three?", "当然。三点见?")],
  ]);
  add(-7, t("Approvals", "审批中心"), "oa_system", 3, [
    [2 * DAY, "them", t("The office is closed on Friday for the yearly inspection.", "本周五办公楼年检,停止办公。"), { title: t("Closed on Friday", "周五停止办公"), state: "CLOSED" }],
    [26 * HOUR, "them", card(zh ? { 申请人: "王芳", 类型: "年假", 时间: "3月2日至3月6日", 天数: 5, 附带薪资: true } : { Applicant: "Wang Fang", Kind: "Annual leave", From: "2 March", To: "6 March", Days: 5, Paid: true }), { title: t("Leave request", "请假申请"), action_url: "/api/v1/simple/sso/jump?app_id=oa&redirect_to=x", action_text: t("Decide", "立即处理"), state: "REJECTED", state_text: t("by Zhao Lei", "赵磊已拒绝") }],
    [50 * MINUTE, "them", card(zh ? { 申请人: "陈伟", 金额: "¥12,480.00", 项目: "华东区域渠道会议", 明细: { 差旅: "¥8,200.00", 住宿: "¥4,280.00" }, 附件: ["发票.pdf", "行程单.pdf"] } : { Applicant: "Chen Wei", Amount: "€ 1,640.00", Project: "Channel meeting, east", Details: { Travel: "€ 1,100.00", Hotel: "€ 540.00" }, Files: ["invoice.pdf", "tickets.pdf"] }), { title: t("Expense claim waits for you", "报销单待您审批"), action_url: "/api/v1/simple/sso/jump?app_id=oa&redirect_to=x", action_text: t("Open the claim", "查看报销单"), state: "PENDING", state_text: t("waits for you", "等待您审批") }],
    [8 * MINUTE, "them", t("Your purchase of 12 monitors was approved by Zhao Lei and goes to the supplier today.", "您的 12 台显示器采购申请已由赵磊批准,今天提交供应商。"), { title: t("Purchase approved", "采购已批准"), state: "DONE", state_text: t("by Zhao Lei", "赵磊已批准"), action_url: "https://buy.example.com", action_text: t("Look at it", "查看") }],
  ]);
  add(31003, t("Chen Wei", "陈伟"), "13900031003", 2, [
    [5 * HOUR, "me", t("Is the venue booked?", "场地订好了吗?")],
    [31 * MINUTE, "them", t("Yes, with lunch for 40.", "订好了,含 40 人午餐。")],
    [30 * MINUTE, "them", t("I filed the claim, can you approve it today?", "报销单提交了,今天能批吗?")],
  ]);
  add(-9, t("Payroll", "薪酬系统"), "payroll", 0, [[DAY + 5 * HOUR, "them", card(zh ? { 月份: "2026年11月", 状态: "已发放" } : { Month: "November 2026", State: "paid out" }), { title: t("Your payslip", "工资单已生成"), action_url: "https://pay.example.com", action_text: t("Look at it", "查看") }]]);
  add(31004, t("Wang Fang", "王芳"), "13900031004", 0, [[2 * DAY, "me", "https://files.example.com/z", { content_type: "IMAGE", filename: "team.png" }]]);
  add(31005, t("Zhao Lei", "赵磊"), "13900031005", 0, [[3 * DAY, "them", t("The monitors come on Monday.", "显示器周一到货。")]]);
  add(0, "系统通知", "system", 0, [[4 * DAY, "them", t("Your password ends in ten days.", "您的密码将在十天后过期。"), { title: t("Password", "密码提醒") }]]);
  add(31006, t("Ahmed Al-Farsi", "阿赫迈德"), "13900031006", 0, [[9 * DAY, "them", "شكرا جزيلا، نراكم الأسبوع القادم"]]);
  const names = ["Liu Yang", "Sun Jing", "Zhou Min", "Wu Hao", "Xu Li", "Hu Bin", "Zhu Ting", "Gao Fei"];
  const chinese = ["刘洋", "孙静", "周敏", "吴昊", "徐丽", "胡斌", "朱婷", "高飞"];
  names.forEach((name, index) => add(31010 + index, zh ? (chinese[index] ?? name) : name, `1390003101${index}`, 0, [[(10 + index * 3) * DAY, index % 2 ? "me" : "them", t("All right, thank you!", "好的,谢谢!")]]));
  return {
    conversations,
    messages,
    people: names.map((name, index) => ({ id: 32000 + index, mobile: `139000320${10 + index}`, name: zh ? (chinese[index] ?? name) + "芳" : `${name} Jr`, english_name: name.toLowerCase(), status: "ACTIVE" })),
    apps: [
      { app_name: t("Approvals", "审批中心"), app_id: "oa_system", description: t("Leave, expenses, purchases", "请假、报销、采购"), category_name: t("Office", "办公"), category_id: 1 },
      { app_name: t("Payroll", "薪酬系统"), app_id: "payroll", description: t("Payslips and tax", "工资单与个税"), category_name: t("Office", "办公"), category_id: 1 },
      { app_name: "Wiki", app_id: "wiki", description: "", category_name: t("Knowledge", "知识"), category_id: 2 },
      { app_name: t("Meeting rooms", "会议室"), app_id: "rooms", description: t("Look for one and book it", "查询与预订"), category_name: t("Office", "办公"), category_id: 1 },
    ].map((one) => ({ ...one, protocol_type: "TICKET", mapped_key: "zhangsan", mapped_email: null, is_active: true })),
  };
}

/** Many messages of different lengths, in one conversation; of the last `unread` those of the other side are new. */
export function makeMany(peer: number, howMany: number, unread = 0, now = Date.now()): Message[] {
  const words = "Carillon keeps what was accepted and brings it to everyone in order whatever dies next".split(" ");
  return Array.from({ length: howMany }, (_, index): Message => ({
    ...makeMessage(peer, 100_000 + index),
    content: index % 17 === 3 ? "👍" : `${index + 1}. ${Array.from({ length: 2 + ((index * 7919) % 41) }, (__, word) => words[(index + word * 3) % words.length]).join(" ")}`,
    is_mine: (index * 31) % 7 < 3,
    is_read: (index * 31) % 7 < 3 || index < howMany - unread,
    created_at_ms: now - (howMany - index) * 11 * MINUTE,
  }));
}
