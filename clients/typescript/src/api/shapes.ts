/** Names for the shapes of REST that the client uses. */
import type { components } from "./generated/openapi";

type Schemas = components["schemas"];

export type Message = Schemas["MessageAnswer"];
export type Conversation = Schemas["ConversationAnswer"];
export type Person = Schemas["PersonAnswer"];
export type AppAccount = Schemas["AppAnswer"];
export type UploadGrant = Schemas["UploadAnswer"];
export type Problem = Schemas["Problem"];
