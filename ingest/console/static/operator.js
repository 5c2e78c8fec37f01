// Who is signed in, and what their role allows. The server decides; the page only says beforehand why a button is off.

import { say } from "./words.js";

let me = null;

export function setOperator(who) {
  me = who;
}

export const operator = () => me;

export const may = (permission) => !permission || Boolean(me?.permissions.includes(permission));

// Why a button is off, or null if it is on.
export const whyNot = (permission) => (may(permission) ? null : say("role.not", { role: me.role }));
