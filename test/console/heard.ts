/** What a screen reader finds in a page: Chromium's accessibility tree as lines, in reading order. */
import type { Page } from 'playwright-core';

/** What is spoken of a control beside its name. */
const spokenStates = ['checked', 'disabled', 'expanded', 'level', 'pressed', 'required', 'selected'];
/** Roles that say something by themselves; the others only hold them. */
const spokenRoles = new Set([
  ...[
    'alert',
    'banner',
    'button',
    'checkbox',
    'combobox',
    'dialog',
    'heading',
    'link',
    'listbox',
    'main',
    'navigation',
  ],
  ...[
    'option',
    'region',
    'DisclosureTriangle',
    'searchbox',
    'spinbutton',
    'status',
    'tab',
    'tablist',
    'textbox',
    'tree',
    'treeitem',
    'img',
  ],
]);

interface Node {
  readonly nodeId: string;
  readonly ignored: boolean;
  readonly role?: { readonly value?: unknown };
  readonly name?: { readonly value?: unknown };
  readonly value?: { readonly value?: unknown };
  readonly description?: { readonly value?: unknown };
  readonly properties?: readonly { readonly name: string; readonly value: { readonly value?: unknown } }[];
  readonly childIds?: readonly string[];
}

/**
 * Lines such as `tab "Stream" selected` or `textbox "Topic" = test/val`.
 *
 * @param from - role of the part that is read
 */
export async function heard(page: Page, from = 'RootWebArea'): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: readonly Node[] };
    const byId = new Map(nodes.map((node) => [node.nodeId, node]));
    const start = nodes.find(({ role }) => role?.value === from);
    if (start === undefined) throw new Error(`there is no ${from}`);
    const lines: string[] = [];
    const read = (node: Node): void => {
      const role = String(node.role?.value);
      const children = (node.childIds ?? []).flatMap((id) => byId.get(id) ?? []);
      if (!node.ignored && spokenRoles.has(role)) {
        // A status is heard as a whole, and an empty one is not.
        const text = role === 'status' || role === 'alert' ? textOf(node, byId) : undefined;
        if (text !== '') lines.push(lineOf(node, text));
        // What there is to choose from is heard when a field is opened.
        if (text !== undefined || role === 'combobox') return;
      }
      for (const child of children) read(child);
    };
    read(start);
    return lines;
  } finally {
    await session.detach();
  }
}

/** The text below a node. */
function textOf(node: Node, byId: ReadonlyMap<string, Node>): string {
  if (node.role?.value === 'StaticText') return String(node.name?.value ?? '');
  const parts = (node.childIds ?? []).flatMap((id) => byId.get(id) ?? []).map((child) => textOf(child, byId));
  return parts.filter((part) => part !== '').join(' ');
}

function lineOf({ role, name, value, description, properties = [] }: Node, status?: string): string {
  const states = properties
    .filter((property) => spokenStates.includes(property.name))
    .flatMap((property) => {
      const state = property.value.value;
      if (state === false || state === 'false') return property.name === 'expanded' ? ['collapsed'] : [];
      return state === true || state === 'true' ? [property.name] : [`${property.name} ${String(state)}`];
    });
  const text = value?.value === undefined || value.value === '' ? [] : [`= ${String(value.value)}`];
  const spoken = status ?? String(name?.value ?? '');
  // A tooltip that repeats the name is not said twice.
  const more = String(description?.value ?? '');
  const about = more === '' || more === spoken ? [] : [`(${more})`];
  return [String(role?.value), `"${spoken}"`, ...text, ...states, ...about].join(' ').replace(/\s+/g, ' ');
}
