/** The inbox's own icons: drawn lines of 24 by 24, in the colour of the text around them. */
import { html, svg, type SVGTemplateResult, type TemplateResult } from "lit";

const icon = (lines: SVGTemplateResult, kind = "") =>
  html`<svg class="icon ${kind}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${lines}</svg>`;

export const icons = {
  back: icon(svg`<path d="M15 5l-7 7 7 7"/>`, "mirror"),
  close: icon(svg`<path d="M6 6l12 12M18 6L6 18"/>`),
  search: icon(svg`<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>`),
  chats: icon(svg`<path d="M4 5.5h16v11H9.5L5.5 20v-3.5H4z"/>`),
  apps: icon(svg`<rect x="4" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.8"/><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.8"/><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.8"/>`),
  settings: icon(svg`<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2.2"/><circle cx="9" cy="17" r="2.2"/>`),
  attach: icon(svg`<path d="M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3 3 0 0 1 4.3 4.3l-7.8 7.7a1.5 1.5 0 0 1-2.1-2.1l7-7"/>`),
  send: icon(svg`<path d="M12 19V5.5M6 11.3l6-6 6 6"/>`),
  down: icon(svg`<path d="M6 9.5l6 6 6-6"/>`),
  more: icon(svg`<g class="solid"><circle cx="5.5" cy="12" r="1.7"/><circle cx="12" cy="12" r="1.7"/><circle cx="18.5" cy="12" r="1.7"/></g>`),
  bell: icon(svg`<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>`),
  open: icon(svg`<path d="M10 6H6v12h12v-4M13.5 5H19v5.5M19 5l-8 8"/>`, "mirror"),
  copy: icon(svg`<rect x="8.5" y="8.5" width="11" height="11" rx="2"/><path d="M15.5 8.5v-2a2 2 0 0 0-2-2h-7a2 2 0 0 0-2 2v7a2 2 0 0 0 2 2h2"/>`),
  recall: icon(svg`<path d="M8.5 5L4.5 9l4 4M5 9h9a5 5 0 0 1 0 10h-4"/>`, "mirror"),
  warning: icon(svg`<path d="M12 4.5L20.5 19h-17zM12 10v4M12 16.4v.4"/>`),
  offline: icon(svg`<path d="M3 3l18 18M5 12.5a10 10 0 0 1 4-2.4M2.5 9a14 14 0 0 1 4-2.6M10.500 5.100A14 14 0 0 1 21.500 9M14.500 10.400a10 10 0 0 1 4.500 2.100M8.500 16a5 5 0 0 1 6 -.8M12 19.500v.2"/>`),
  picture: icon(svg`<rect x="4" y="5" width="16" height="14" rx="2.2"/><circle cx="9" cy="10" r="1.6"/><path d="M4.500 17l5-4.500 3.500 3 2.500-2 4.500 3.500"/>`),
  pencil: icon(svg`<path d="M5 19l.8-3.800L16 5l3 3L8.800 18.200zM13.800 7.200l3 3"/>`),
  clock: icon(svg`<circle cx="12" cy="12" r="7.5"/><path d="M12 8v4.300l2.500 1.700"/>`, "tick"),
  done: icon(svg`<path d="M5.500 12.500l4.200 4.200L18.500 7.500"/>`),
  pending: icon(svg`<circle cx="12" cy="12" r="7.5"/><path d="M12 8v4.300l2.500 1.700"/>`),
  closed: icon(svg`<circle cx="12" cy="12" r="7.5"/><path d="M8.500 12h7"/>`),
  sent: icon(svg`<path d="M5.500 12.500l4.200 4.200L18.500 7.500"/>`, "tick"),
  read: icon(svg`<path d="M2.500 12.500l4.200 4.200L15.500 7.500M11.500 16.200l.7.6L21.500 7.500"/>`, "tick"),
} satisfies Record<string, TemplateResult>;
