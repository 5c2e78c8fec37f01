/** The room in which messages are scrolled. */
import { css } from "lit";

export const historyStyles = css`
  :host {
    position: relative;
    display: grid;
    min-block-size: 0;
    background: var(--_canvas);
  }
  .scroller {
    overflow-y: auto;
    overflow-x: hidden;
    overscroll-behavior: contain;
    /* The place is kept by the program: a browser that does it too would do it twice. */
    overflow-anchor: none;
    min-block-size: 0;
    outline-offset: -3px;
    scrollbar-width: thin;
    scrollbar-color: color-mix(in srgb, var(--_dim) 45%, transparent) transparent;
  }
  .canvas {
    min-block-size: 100%;
    display: flex;
    flex-direction: column;
    padding-block-end: 0.75rem;
    padding-inline: clamp(0.75rem, 3.5cqi, 2.5rem);
  }
  .lead {
    flex: 1 0 auto;
    min-block-size: 3.75rem;
    display: grid;
    place-items: center;
    color: var(--_dim);
    font-size: 0.8125rem;
  }
  .lead > span {
    align-self: start;
    padding-block: 1rem 0.5rem;
  }
  .older-failed {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem 0.8rem;
    align-items: center;
    justify-content: center;
    padding: 0.8rem 0.5rem;
    color: var(--_bad);
  }
  .above,
  .below {
    flex: none;
  }
  .day,
  .new {
    display: flex;
    justify-content: center;
    align-items: center;
    padding-block: 0.9rem 0.5rem;
  }
  .day span {
    background: color-mix(in srgb, var(--_canvas) 82%, var(--_text) 8%);
    color: var(--_dim);
    font-size: 0.78rem;
    font-weight: 500;
    padding: 0.2rem 0.8rem;
    border-radius: 999px;
  }
  .new {
    gap: 0.8rem;
    color: var(--_accent);
    font-size: 0.78rem;
    font-weight: 600;
    padding-block: 0.7rem 0.4rem;
  }
  .new::before,
  .new::after {
    content: "";
    flex: 1;
    block-size: 1px;
    background: color-mix(in srgb, var(--_accent) 35%, transparent);
  }
  .floating {
    position: absolute;
    inset-block-start: 0;
    inset-inline: 0;
    padding-block-start: 0.6rem;
    pointer-events: none;
    opacity: 0;
    transition: opacity 0.25s;
  }
  .floating.shown {
    opacity: 1;
  }
  .floating span {
    background: color-mix(in srgb, var(--_ground) 92%, transparent);
    box-shadow: var(--_shadow);
  }
  .floating span:empty {
    display: none;
  }
  .jump {
    position: absolute;
    inset-block-end: 1rem;
    inset-inline-end: 1.25rem;
    inline-size: 2.75rem;
    block-size: 2.75rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    background: var(--_ground);
    color: var(--_dim);
    box-shadow: var(--_shadow-high);
    animation: rise 0.18s ease-out;
  }
  .jump:hover {
    color: var(--_text);
  }
  .jump .count {
    position: absolute;
    inset-block-start: -0.45rem;
    inset-inline-end: -0.3rem;
    min-inline-size: 1.35rem;
    padding: 0.05rem 0.35rem;
    border-radius: 999px;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 600;
    text-align: center;
    line-height: 1.25rem;
  }
  @keyframes rise {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
  .bones {
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
    gap: 0.75rem;
    padding: 1.5rem clamp(0.75rem, 3.5cqi, 2.5rem);
  }
  .bones .bone {
    block-size: 2.5rem;
    border-radius: var(--_radius);
    background: var(--_bubble);
  }
  .bones .mine {
    align-self: flex-end;
    background: var(--_bubble-mine);
  }
  .w2 { inline-size: 22%; }
  .w3 { inline-size: 34%; }
  .w4 { inline-size: 42%; }
  .w5 { inline-size: 52%; }
  .w6 { inline-size: 62%; }
`;
