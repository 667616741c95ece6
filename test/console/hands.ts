/** Ways to use a page: with a pointer, or with nothing but keys. */
import type { Locator, Page } from 'playwright-core';
import { drawn } from './open-console.ts';

export interface Hands {
  /** A button, link, tab or summary. */
  press(target: Locator): Promise<void>;
  fill(field: Locator, text: string): Promise<void>;
  select(field: Locator, value: string): Promise<void>;
  /** Opens a node of a tree, or closes it. */
  turn(node: Locator): Promise<void>;
  /** Opens what a row of a tree or list stands for. */
  choose(row: Locator): Promise<void>;
  /** Closer into a plot. */
  zoom(page: Page): Promise<void>;
}

export const mouseHands = (): Hands => ({
  press: (target) => target.click(),
  fill: (field, text) => field.fill(text),
  select: async (field, value) => {
    await field.selectOption(value);
  },
  turn: async (node) => {
    await node.locator('.twist').click();
  },
  choose: (row) => row.click(),
  zoom: async (page) => {
    const box = await page.locator('.u-over').boundingBox();
    if (box === null) throw new Error('no plot');
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
  },
});

/** Tab until something has the focus, as somebody does who has no pointer. @throws Error when it cannot be reached */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const hasFocus = (): Promise<boolean> =>
    target.evaluate((element) => element === element.ownerDocument.activeElement);
  for (let step = 0; step < 150; step++) {
    if (await hasFocus()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not reach ${String(target)}`);
}

export function keyboardHands(page: Page): Hands {
  /** Into the tree or list, then up and down to the row. */
  const goToRow = async (row: Locator): Promise<void> => {
    await row.waitFor();
    await tabTo(page, row.locator('xpath=..').locator('[tabindex="0"]'));
    await page.keyboard.press('Home');
    for (let step = 0; step < 200; step++) {
      if (await row.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      await page.keyboard.press('ArrowDown');
      await drawn(page);
    }
    throw new Error(`the arrow keys do not reach ${String(row)}`);
  };
  return {
    press: async (target) => {
      const role = await target.getAttribute('role');
      if (role === 'tab') {
        // A list of tabs is one stop; the arrow keys choose.
        await tabTo(page, target.locator('xpath=..').locator('[tabindex="0"]'));
        for (let step = 0; step < 10 && (await target.getAttribute('aria-selected')) !== 'true'; step++) {
          await page.keyboard.press('ArrowRight');
          await drawn(page);
        }
        return;
      }
      await tabTo(page, target);
      await page.keyboard.press('Enter');
    },
    fill: async (field, text) => {
      await tabTo(page, field);
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    },
    select: async (field, value) => {
      await tabTo(page, field);
      await page.keyboard.press('Home');
      for (let step = 0; step < 10 && (await field.inputValue()) !== value; step++) {
        await page.keyboard.press('ArrowDown');
        await drawn(page);
      }
    },
    turn: async (node) => {
      const isOpen = (await node.getAttribute('aria-expanded')) === 'true';
      await goToRow(node);
      await page.keyboard.press(isOpen ? 'ArrowLeft' : 'ArrowRight');
    },
    choose: async (row) => {
      await goToRow(row);
      await page.keyboard.press('Enter');
    },
    zoom: async () => {
      await tabTo(page, page.getByTestId('zoom-in'));
      await page.keyboard.press('Enter');
    },
  };
}
