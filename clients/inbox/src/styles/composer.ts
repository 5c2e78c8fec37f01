/** The field for writing. */
import { css } from "lit";

export const composerStyles = css`
  :host {
    display: block;
    background: var(--_canvas);
    padding: 2px clamp(0.5rem, 3cqi, 2.25rem) max(0.75rem, env(safe-area-inset-bottom));
  }
  .box {
    background: var(--_bubble);
    border-radius: 22px;
    box-shadow: var(--_shadow);
    border: 1px solid var(--_line);
    transition: border-color 0.15s, box-shadow 0.15s;
  }
  .box:focus-within {
    border-color: var(--_accent);
    box-shadow: 0 0 0 1px var(--_accent);
  }
  .writing {
    display: flex;
    align-items: flex-end;
    gap: 0.125rem;
    padding: 0.2rem;
  }
  textarea {
    flex: 1;
    min-inline-size: 0;
    border: 0;
    outline: 0;
    background: none;
    resize: none;
    padding: 0.58rem 0.35rem;
    max-block-size: min(13rem, 34vh);
    overflow-y: auto;
    scrollbar-width: thin;
  }
  @media (pointer: coarse) {
    /* iOS zooms into fields with smaller letters. */
    textarea {
      font-size: 1rem;
    }
  }
  /* The box around it shows the focus. */
  textarea:focus-visible {
    outline: none;
  }
  textarea::placeholder {
    color: var(--_dim);
    opacity: 1;
    white-space: nowrap;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .send {
    color: var(--_dim);
  }
  .send .icon {
    stroke-width: 2.2;
  }
  .send.ready {
    color: var(--_on-accent);
    background: var(--_accent);
  }
  .send:not(.ready) {
    opacity: 0.55;
  }
  .tray {
    display: flex;
    gap: 0.5rem;
    overflow-x: auto;
    padding: 0.6rem 0.6rem 0.2rem;
  }
  .tray li {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    flex: none;
    max-inline-size: 16rem;
    background: var(--_hover);
    border-radius: 14px;
    padding: 0.35rem 0.2rem 0.35rem 0.4rem;
  }
  .tray img,
  .kind {
    inline-size: 2.75rem;
    block-size: 2.75rem;
    border-radius: 10px;
    object-fit: cover;
    flex: none;
  }
  .kind {
    display: grid;
    place-items: center;
    background: var(--_accent);
    color: var(--_on-accent);
    font-size: 0.75rem;
    font-weight: 700;
  }
  .about {
    display: grid;
    min-inline-size: 0;
    font-size: 0.8rem;
    color: var(--_dim);
  }
  .about b {
    color: var(--_text);
    font-weight: 550;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .tray .round {
    inline-size: 2rem;
    block-size: 2rem;
  }
  .tray .round .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .problem {
    color: var(--_bad);
    font-size: 0.8125rem;
    padding: 0 1rem 0.5rem;
  }
  .problem:empty {
    display: none;
  }
`;
