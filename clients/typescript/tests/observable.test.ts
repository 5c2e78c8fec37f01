import { expect, test, vi } from "vitest";
import { Variable } from "../src/observable";

test("a listener is called after every change, and no more once it has ended", () => {
  const variable = new Variable(1);
  const listener = vi.fn();
  const end = variable.subscribe(listener);
  variable.set(2);
  variable.set(2);
  end();
  variable.set(3);
  expect(listener).toHaveBeenCalledTimes(1);
  expect(variable.get()).toBe(3);
});

test("one listener that subscribes twice is called twice, and each ends alone", () => {
  const variable = new Variable(1);
  const listener = vi.fn();
  const end = variable.subscribe(listener);
  variable.subscribe(listener);
  end();
  variable.set(2);
  expect(listener).toHaveBeenCalledTimes(1);
});
