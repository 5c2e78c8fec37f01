// Draws descriptions of elements into the page, in place: what is there already is changed and not made anew. So the
// focus stays, a press of the mouse ends on the button where it began, and a selection of text is kept, however often
// a page is drawn. Texts go in as text, never as HTML.

const DRAWN = Symbol("the attributes that an element was drawn with");
const FLAGS = new Set(["hidden", "disabled", "open", "required"]);

// The description of an element. Among the children lists are flattened, and null, false and the empty text are left out. Attributes
// that mean something here: `key` tells brothers apart; `on…` are handlers; `attached` is called with the new element;
// of a `whole` element the children are its maker's own, and are never drawn.
export function h(name, attributes, ...children) {
  return { name, attributes: attributes ?? {}, children };
}

// Make the children of `parent` those that are described.
export function draw(parent, ...children) {
  const focused = document.activeElement;
  const wanted = children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
  const nodes = matchNodes(parent, wanted);
  const kept = new Set(nodes);
  for (const node of [...parent.childNodes]) if (!kept.has(node)) node.remove();
  let place = parent.firstChild;
  wanted.forEach((child, index) => {
    const node = nodes[index] ?? create(child);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
    update(node, child);
  });
  // An element that was moved has lost the focus.
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

// For each description the node that is there for it already: by its key, or else the next without a key of that name.
function matchNodes(parent, wanted) {
  const keyed = new Map();
  const others = [];
  for (const node of parent.childNodes) {
    const key = node[DRAWN]?.key;
    if (key == null) others.push(node);
    else keyed.set(String(key), node);
  }
  let next = 0;
  return wanted.map((child) => {
    const name = child.name ?? "#text";
    if (child.attributes?.key != null) {
      const found = keyed.get(String(child.attributes.key));
      return found?.nodeName.toLowerCase() === name ? found : undefined;
    }
    const at = others.findIndex((node, index) => index >= next && node.nodeName.toLowerCase() === name);
    if (at < 0) return undefined;
    next = at + 1;
    return others[at];
  });
}

function create(child) {
  if (child.name === undefined) return document.createTextNode(String(child));
  return document.createElement(child.name);
}

function update(node, child) {
  if (child.name === undefined) {
    if (node.data !== String(child)) node.data = String(child);
    return;
  }
  const isNew = node[DRAWN] === undefined;
  const before = node[DRAWN] ?? {};
  const { attributes } = child;
  for (const name of new Set([...Object.keys(before), ...Object.keys(attributes)])) {
    if (before[name] !== attributes[name]) change(node, name, attributes[name]);
  }
  node[DRAWN] = attributes;
  if (!attributes.whole) draw(node, child.children);
  if (isNew) attributes.attached?.(node);
}

function change(node, name, value) {
  if (["key", "attached", "whole"].includes(name)) return;
  if (name.startsWith("on")) node[name] = value ?? null;
  else if (name === "value") node.value = value ?? "";
  else if (FLAGS.has(name)) node.toggleAttribute(name, Boolean(value));
  else if (value == null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value);
}
