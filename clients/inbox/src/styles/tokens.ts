/**
 * Colours and sizes. A page sets the `--carillon-…` ones; those with `--_` are made from them here and used everywhere else.
 *
 * Text on its ground has a contrast of 4.5 or more, in both themes (a test asks axe).
 */
import { css, unsafeCSS, type CSSResult } from "lit";

const light = css`
  --_accent: var(--carillon-accent, #2459d6);
  --_on-accent: var(--carillon-on-accent, #ffffff);
  --_ground: var(--carillon-ground, #ffffff);
  --_side: var(--carillon-side, #f8f8fa);
  --_canvas: var(--carillon-canvas, #f1f2f6);
  --_bubble: var(--carillon-bubble, #ffffff);
  --_bubble-mine: var(--carillon-bubble-mine, #d9e6ff);
  --_text: var(--carillon-text, #191c24);
  --_dim: var(--carillon-dim, #5c6373);
  --_dim-mine: var(--carillon-dim-mine, #45567f);
  --_line: var(--carillon-line, #e4e6ec);
  --_hover: #191c240d;
  --_chosen: color-mix(in srgb, var(--_accent) 13%, var(--_side));
  --_bad: var(--carillon-bad, #b3261e);
  --_bad-ground: #fdecea;
  --_warn: #7a4d00;
  --_warn-ground: #fff4dc;
  --_good: #14653a;
  --_good-ground: #e4f5ea;
  --_shadow: 0 1px 1.5px #1219291f;
  --_shadow-high: 0 8px 28px #1219293d, 0 1px 3px #12192929;
  --_veil: #12192985;
`;

const dark = css`
  --_accent: var(--carillon-accent, #86adff);
  --_on-accent: var(--carillon-on-accent, #0c1a3a);
  --_ground: var(--carillon-ground, #14171d);
  --_side: var(--carillon-side, #171b22);
  --_canvas: var(--carillon-canvas, #0e1116);
  --_bubble: var(--carillon-bubble, #1e232c);
  --_bubble-mine: var(--carillon-bubble-mine, #21406f);
  --_text: var(--carillon-text, #e8eaf0);
  --_dim: var(--carillon-dim, #9aa2b2);
  --_dim-mine: var(--carillon-dim-mine, #b3c6ea);
  --_line: var(--carillon-line, #272d38);
  --_hover: #ffffff0f;
  --_chosen: color-mix(in srgb, var(--_accent) 18%, var(--_side));
  --_bad: var(--carillon-bad, #ff9a91);
  --_bad-ground: #3b1b1a;
  --_warn: #f3c873;
  --_warn-ground: #332811;
  --_good: #7ddba2;
  --_good-ground: #14301f;
  --_shadow: 0 1px 2px #00000066;
  --_shadow-high: 0 10px 32px #000000a6, 0 0 0 1px #ffffff14;
  --_veil: #000000a6;
`;

export const tokens = css`
  :host {
    ${light}
    --_radius: var(--carillon-radius, 18px);
    --_font: var(--carillon-font, system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans", sans-serif);
    color-scheme: light;
  }
  @media (prefers-color-scheme: dark) {
    :host(:not([theme="light"])) {
      ${dark}
      color-scheme: dark;
    }
  }
  :host([theme="dark"]) {
    ${dark}
    color-scheme: dark;
  }
`;

/** Grounds of avatars: white on each has a contrast of 4.5. */
const AVATARS = ["#3d63d8", "#0d7a74", "#b0481a", "#7d4bc9", "#2d7a38", "#b8336d", "#1673a6", "#8a6212", "#5b63a8", "#a83c3c"];

export const avatarColours: CSSResult = unsafeCSS(AVATARS.map((colour, index) => `.colour-${index} { background: ${colour}; }`).join("\n"));
