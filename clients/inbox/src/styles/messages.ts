/** Bubbles and cards. Rows have no margins, only padding: their height is all the room they take. */
import { css } from "lit";

export const messageStyles = css`
  .row {
    padding-block-start: 2px;
    display: flow-root;
  }
  .row.first {
    padding-block-start: 0.625rem;
  }
  .row.fresh .bubble {
    animation: arrive 0.2s ease-out;
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateY(10px);
    }
  }
  .line {
    display: flex;
    align-items: center;
    gap: 0.25rem;
  }
  .mine .line {
    flex-direction: row-reverse;
  }
  .bubble {
    position: relative;
    max-inline-size: min(34rem, 85%);
    min-inline-size: 0;
    background: var(--_bubble);
    border-radius: var(--_radius);
    box-shadow: var(--_shadow);
    overflow-wrap: anywhere;
  }
  .mine .bubble {
    background: var(--_bubble-mine);
    --_dim: var(--_dim-mine);
  }
  .theirs .bubble {
    border-start-start-radius: 6px;
    border-end-start-radius: 6px;
  }
  .theirs.first .bubble {
    border-start-start-radius: var(--_radius);
  }
  .mine .bubble {
    border-start-end-radius: 6px;
    border-end-end-radius: 6px;
  }
  .mine.first .bubble {
    border-start-end-radius: var(--_radius);
  }
  .said {
    display: flow-root;
    padding: 0.45rem 0.8rem;
    white-space: pre-wrap;
  }
  /* On the last line if there is room, at the end of the text in its own direction. */
  .said > .meta {
    float: inline-end;
    margin-block: 0.6rem -0.2rem;
    margin-inline: 0.7rem -0.15rem;
  }
  .meta {
    display: inline-flex;
    align-items: center;
    gap: 0.15rem;
    color: var(--_dim);
    font-size: 0.7rem;
    line-height: 1;
    white-space: nowrap;
    font-variant-numeric: tabular-nums;
  }
  .bubble > .meta {
    position: absolute;
    inset-block-end: 0.45rem;
    inset-inline-end: 0.7rem;
  }
  .state {
    display: inline-flex;
  }
  .icon.tick {
    inline-size: 1rem;
    block-size: 1rem;
    stroke-width: 2.1;
  }
  .state.is-read {
    color: var(--_accent);
  }
  .bubble.emoji {
    background: none;
    box-shadow: none;
  }
  .emoji .said {
    font-size: 2.6rem;
    line-height: 1.15;
    padding: 0.1rem 0.2rem;
  }
  .emoji .meta {
    margin-block-start: 2.2rem;
  }
  .more {
    inline-size: 2rem;
    block-size: 2rem;
    border-radius: 50%;
    display: grid;
    place-items: center;
    color: var(--_dim);
    opacity: 0;
    flex: none;
    transition: opacity 0.12s;
  }
  .line:hover .more,
  .more:focus-visible,
  .more[aria-expanded="true"] {
    opacity: 1;
  }
  .more:hover {
    background: var(--_hover);
  }
  @media (hover: none) {
    .line:hover .more {
      opacity: 0;
    }
    .touched .more.more {
      opacity: 1;
    }
    /* A notice takes the whole width: its button lies on it. */
    .line.wide {
      position: relative;
    }
    .line.wide .bubble.bubble {
      max-inline-size: min(32rem, 100%);
    }
    .line.wide .more {
      position: absolute;
      inset-block-start: 0.5rem;
      inset-inline-end: 0.5rem;
      background: var(--_bubble);
    }
  }
  .unsent {
    display: flex;
    flex-wrap: wrap;
    gap: 0.15rem 0.8rem;
    align-items: center;
    color: var(--_bad);
    font-size: 0.8125rem;
    padding-block: 0.25rem 0.2rem;
  }
  .mine .unsent {
    justify-content: flex-end;
    text-align: end;
  }
  .unsent .icon {
    display: inline-block;
    vertical-align: -0.2em;
    inline-size: 1.05rem;
    block-size: 1.05rem;
    margin-inline-end: 0.3rem;
  }
  .unsent .choices {
    display: inline-flex;
    gap: 0.8rem;
  }
  .unsent button {
    font-weight: 600;
    text-decoration: underline;
    text-underline-offset: 3px;
    padding-block: 0.2rem;
  }

  /* pictures and files */
  .bubble.picture,
  .bubble.video {
    padding: 3px;
    overflow: hidden;
  }
  .frame {
    display: block;
    position: relative;
    inline-size: fit-content;
    min-inline-size: 7rem;
    min-block-size: 5rem;
    border-radius: calc(var(--_radius) - 3px);
    overflow: hidden;
  }
  .frame.bone {
    inline-size: 16rem;
    max-inline-size: 100%;
    block-size: 11rem;
  }
  .frame img {
    display: block;
    block-size: auto;
    max-inline-size: 100%;
    min-inline-size: 7rem;
    min-block-size: 5rem;
    object-fit: cover;
  }
  .frame.bone img {
    inline-size: 100%;
    block-size: 100%;
    max-inline-size: none;
    position: absolute;
    opacity: 0;
  }
  .frame.gone {
    display: grid;
    place-items: center;
    gap: 0.2rem;
    inline-size: 16rem;
    max-inline-size: 100%;
    padding: 1.6rem 1rem 2rem;
    color: var(--_dim);
    font-size: 0.875rem;
    text-align: center;
  }
  .gone .choices {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 0.2rem 1rem;
    font-weight: 600;
    color: var(--_accent);
  }
  .uploading video {
    max-block-size: 16rem;
    opacity: 0.6;
  }
  .picture > .meta,
  .video > .meta {
    background: #101521b8;
    color: #fff;
    padding: 0.22rem 0.5rem;
    border-radius: 999px;
    pointer-events: none;
  }
  .picture > .meta .state.is-read,
  .video > .meta .state.is-read {
    color: #a9c6ff;
  }
  video {
    display: block;
    max-inline-size: min(24rem, 100%);
    max-block-size: 22rem;
    border-radius: calc(var(--_radius) - 3px);
    background: #000;
  }
  .video > .meta {
    inset-block: 0.7rem auto;
  }
  .file {
    display: flex;
    align-items: center;
    gap: 0.7rem;
    min-inline-size: 0;
  }
  .bubble > .file {
    padding: 0.6rem 0.9rem 1.2rem 0.65rem;
    min-inline-size: 13rem;
    max-inline-size: 100%;
  }
  .sheet {
    inline-size: 2.5rem;
    block-size: 2.9rem;
    border-radius: 0.5rem 0.9rem 0.5rem 0.5rem;
    display: grid;
    place-items: center;
    flex: none;
    color: var(--_on-accent);
    background: var(--_accent);
    font-size: 0.7rem;
    font-weight: 700;
    letter-spacing: 0.03em;
  }
  .names {
    display: grid;
    min-inline-size: 0;
  }
  .names b {
    font-weight: 600;
    line-height: 1.3;
    display: -webkit-box;
    -webkit-line-clamp: 2;
    -webkit-box-orient: vertical;
    overflow: hidden;
  }
  .names span {
    color: var(--_dim);
    font-size: 0.8rem;
  }
  button.file:not(:disabled):hover b {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
  .uploading .frame img {
    opacity: 0.6;
  }
  .progress {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    pointer-events: none;
  }
  .progress > * {
    grid-area: 1 / 1;
  }
  .progress svg {
    inline-size: 3rem;
    block-size: 3rem;
    fill: #101521a6;
  }
  .progress circle {
    stroke-width: 3;
    stroke: #ffffff4d;
  }
  .progress .done {
    fill: none;
    stroke: #fff;
    stroke-linecap: round;
    transition: stroke-dashoffset 0.2s;
  }
  .progress button {
    color: #fff;
    inline-size: 3rem;
    block-size: 3rem;
    display: grid;
    place-items: center;
    border-radius: 50%;
    pointer-events: auto;
  }
  .progress .icon {
    inline-size: 1.2rem;
    block-size: 1.2rem;
    stroke-width: 2.2;
  }
  .file.uploading .progress {
    inset: auto;
    inset-block-start: 0.6rem;
    inset-inline-start: 0.65rem;
    inline-size: 2.5rem;
    block-size: 2.9rem;
  }
  .file.uploading .progress svg {
    inline-size: 2.2rem;
    block-size: 2.2rem;
    fill: none;
  }
  .file.uploading .sheet {
    color: transparent;
  }

  /* notices */
  .line.wide .bubble {
    inline-size: min(32rem, 100%);
    max-inline-size: min(32rem, calc(100% - 2.25rem));
  }
  .bubble.card {
    border-radius: var(--_radius);
    padding: 0.8rem 1rem 0.95rem;
  }
  .card header {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    color: var(--_dim);
    font-size: 0.8125rem;
    margin-block-end: 0.5rem;
  }
  .card .from {
    font-weight: 500;
  }
  .card header .meta {
    margin-inline-start: auto;
    font-size: 0.75rem;
  }
  .avatar.tiny {
    inline-size: 1.5rem;
    block-size: 1.5rem;
    font-size: 0.75rem;
  }
  .avatar.tiny .icon {
    inline-size: 0.95rem;
    block-size: 0.95rem;
  }
  .card h3 {
    font-size: 1rem;
    line-height: 1.35;
    font-weight: 650;
  }
  .matter {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.3rem 0.5rem;
    margin-block: 0.4rem 0.1rem;
    color: var(--_dim);
    font-size: 0.8125rem;
  }
  .matter-state {
    display: inline-flex;
    align-items: center;
    gap: 0.25rem;
    padding-block: 0.1rem;
    padding-inline: 0.4rem 0.55rem;
    border-radius: 999px;
    font-weight: 600;
  }
  .matter-state .icon {
    inline-size: 1rem;
    block-size: 1rem;
  }
  .matter-state.pending {
    color: var(--_warn);
    background: var(--_warn-ground);
  }
  .matter-state.done {
    color: var(--_good);
    background: var(--_good-ground);
  }
  .matter-state.rejected {
    color: var(--_bad);
    background: var(--_bad-ground);
  }
  .matter-state.closed {
    background: var(--_hover);
  }
  .prose {
    white-space: pre-wrap;
    margin-block-start: 0.25rem;
  }
  dl {
    display: grid;
    gap: 0.28rem 0;
    margin-block-start: 0.55rem;
  }
  dl > div {
    display: grid;
    grid-template-columns: minmax(4.5rem, 26%) 1fr;
    gap: 0.9rem;
  }
  dl > .deep {
    grid-template-columns: 1fr;
    gap: 0;
  }
  .deep > dd > dl {
    margin-block-start: 0.2rem;
    padding-inline-start: 0.7rem;
    border-inline-start: 2px solid var(--_line);
  }
  dt {
    color: var(--_dim);
  }
  dd > ul {
    display: grid;
    gap: 0.15rem;
  }
  .card footer {
    margin-block-start: 0.85rem;
  }
  .act {
    inline-size: 100%;
    min-block-size: 2.5rem;
  }
  .act.quiet {
    color: var(--_dim);
    background: none;
    font-weight: 500;
  }
  .act.quiet:hover {
    background: var(--_hover);
  }
  .act .icon {
    inline-size: 1.05rem;
    block-size: 1.05rem;
  }
`;
