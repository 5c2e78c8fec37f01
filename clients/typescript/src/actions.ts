/** The buttons of messages: opens where one leads, signed on if it is one of ours. */
import { CarillonError } from "./api/errors";
import type { Platform } from "./platform";
import type { CarillonClient, Rest } from "./types";

const JUMP_PATH = "/api/v1/simple/sso/jump";

/** Makes `openAction` of the client; see there. */
export function createOpenAction({ platform, rest }: { platform: Platform; rest: Rest }): CarillonClient["openAction"] {
  return async ({ id, action_url }) => {
    if (action_url === null) throw new CarillonError("The message has no button.", { code: "NO_BUTTON" });
    // Before anything is waited for: browsers block a tab that is not opened in the click itself.
    const tab = platform.openTab();
    try {
      const isJump = action_url.split("?")[0] === JUMP_PATH;
      const url = rest.resolve(isJump ? await rest.getCallbackUrl(id) : action_url);
      if (tab) tab.go(url);
      else platform.leaveFor(url);
    } catch (error) {
      tab?.close();
      throw error;
    }
  };
}
