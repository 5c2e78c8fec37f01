/** Small pieces that several views show: avatars, empty states, failures. */
import { html, nothing, type TemplateResult } from "lit";
import { chooseColour, takeInitials } from "../format/avatar";
import { icons } from "./icons";

/** Decoration: the name stands beside it, so a screen reader skips it. */
export function avatar(id: number, name: string, size = ""): TemplateResult {
  if (id === 0) return html`<span class="avatar app colour-8 ${size}" aria-hidden="true">${icons.bell}</span>`;
  const kind = id < 0 ? "app" : "person";
  const all = takeInitials(name, kind);
  const initials = size === "tiny" ? [...all][0] : all;
  return html`<span class="avatar ${kind} colour-${chooseColour(id)} ${size}" aria-hidden="true">${initials}</span>`;
}

export function blank(emblem: TemplateResult, title: string, hint = ""): TemplateResult {
  return html`<div class="blank">
    <span class="emblem">${emblem}</span>
    <strong>${title}</strong>
    ${hint ? html`<span>${hint}</span>` : nothing}
  </div>`;
}

/** What failed, why, and a button to try again. */
export function failure(title: string, why: string, retry: { text: string; act: () => void }): TemplateResult {
  return html`<div class="blank failed" role="alert">
    <span class="emblem">${icons.warning}</span>
    <strong>${title}</strong>
    <span>${why}</span>
    <button class="button" @click=${retry.act}>${retry.text}</button>
  </div>`;
}
