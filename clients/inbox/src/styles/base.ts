/** What every part of the inbox has: reset, buttons, icons, avatars, and the looks of waiting, emptiness and failure. */
import { css } from "lit";
import { avatarColours } from "./tokens";

export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  :host {
    font: 400 0.9375rem/1.45 var(--_font);
    color: var(--_text);
  }
  h1,
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul {
    list-style: none;
  }
  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }
  button {
    border: 0;
    background: none;
    padding: 0;
    cursor: pointer;
    text-align: start;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    cursor: default;
  }
  a {
    color: var(--_accent);
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .icon {
    inline-size: 1.375rem;
    block-size: 1.375rem;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
    display: block;
  }
  .icon .solid {
    fill: currentColor;
    stroke: none;
  }
  :host(:dir(rtl)) .icon.mirror {
    transform: scaleX(-1);
  }
  .unseen {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .round {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    flex: none;
    color: var(--_dim);
    transition: background-color 0.12s;
  }
  .round:hover {
    background: var(--_hover);
    color: var(--_text);
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.4rem;
    min-block-size: 2.25rem;
    padding: 0.35rem 1rem;
    border-radius: 999px;
    font-weight: 600;
    font-size: 0.875rem;
    color: var(--_accent);
    background: color-mix(in srgb, var(--_accent) 11%, transparent);
    transition: background-color 0.12s;
  }
  .button:hover {
    background: color-mix(in srgb, var(--_accent) 20%, transparent);
  }
  .button.main {
    color: var(--_on-accent);
    background: var(--_accent);
  }
  .button.main:hover {
    background: color-mix(in srgb, var(--_accent) 88%, var(--_text));
  }
  .button:disabled {
    opacity: 0.5;
  }
  .button.grave {
    color: var(--_ground);
    background: var(--_bad);
  }
  .avatar {
    inline-size: 2.875rem;
    block-size: 2.875rem;
    border-radius: 50%;
    flex: none;
    display: grid;
    place-items: center;
    color: #fff;
    font-weight: 600;
    font-size: 1rem;
    letter-spacing: 0.01em;
    overflow: hidden;
    user-select: none;
  }
  .avatar.app {
    border-radius: 30%;
  }
  .avatar.small {
    inline-size: 2.25rem;
    block-size: 2.25rem;
    font-size: 0.8rem;
  }
  ${avatarColours}
  .blank {
    display: grid;
    justify-items: center;
    align-content: center;
    gap: 0.35rem;
    padding: 2rem 1.5rem;
    text-align: center;
    color: var(--_dim);
    overflow-wrap: anywhere;
  }
  .blank strong {
    color: var(--_text);
    font-weight: 600;
    font-size: 1.0625rem;
  }
  .blank .emblem {
    inline-size: 4rem;
    block-size: 4rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    margin-block-end: 0.6rem;
    color: var(--_accent);
    background: color-mix(in srgb, var(--_accent) 10%, transparent);
  }
  .blank .emblem .icon {
    inline-size: 1.9rem;
    block-size: 1.9rem;
    stroke-width: 1.5;
  }
  .blank .button {
    margin-block-start: 0.8rem;
  }
  .blank.failed .emblem {
    color: var(--_bad);
    background: var(--_bad-ground);
  }
  .bone {
    background: var(--_hover);
    border-radius: 0.5rem;
    animation: breathe 1.4s ease-in-out infinite alternate;
  }
  @keyframes breathe {
    from {
      opacity: 0.55;
    }
    to {
      opacity: 1;
    }
  }
  .spinner {
    inline-size: 1.25rem;
    block-size: 1.25rem;
    border-radius: 50%;
    border: 2px solid var(--_line);
    border-block-start-color: var(--_accent);
    animation: turn 0.8s linear infinite;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important;
      scroll-behavior: auto !important;
    }
  }
`;
