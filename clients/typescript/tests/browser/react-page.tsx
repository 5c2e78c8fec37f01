/** The page of `react.test.ts`: an application on a client that the test plays, in StrictMode. */
import { StrictMode, useState } from "react";
import { createRoot, hydrateRoot, type Root } from "react-dom/client";
import { App, FakeClient } from "./react-app";

declare global {
  interface Window {
    fake: FakeClient;
    errors: string[];
    root: Root;
    mount(how?: "strict" | "hydrate" | "two"): void;
    setPeer(peer: number): void;
  }
}

window.fake = new FakeClient();
window.errors = [];

function Page() {
  const [peer, setPeer] = useState(8);
  window.setPeer = setPeer;
  return <App client={window.fake.client} peer={peer} />;
}

window.mount = (how = "strict") => {
  const place = document.getElementById("root");
  if (!place) throw new Error("There is no #root.");
  const page = (
    <StrictMode>
      <Page />
      {how === "two" && <Page />}
    </StrictMode>
  );
  const options = { onRecoverableError: (error: unknown) => window.errors.push(String(error)) };
  if (how === "hydrate") {
    window.root = hydrateRoot(place, page, options);
  } else {
    window.root = createRoot(place, options);
    window.root.render(page);
  }
};
