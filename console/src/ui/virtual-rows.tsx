/**
 * A list of any length of which only the visible rows exist. Rows have one height; where browsers stop,
 * the scroll bar is scaled. One row takes part in the tab order (roving tabindex) and always exists.
 */

import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { windowOf } from './window-of.ts';

export interface RowPlace {
  readonly index: number;
  readonly tabIndex: 0 | -1;
  readonly style: { readonly transform: string; readonly height: string };
  /** The place in the whole list, for a list that has no levels: most rows are not in the page. */
  readonly aria: { readonly 'aria-posinset': number; readonly 'aria-setsize': number };
}

export interface VirtualRowsProps {
  readonly count: number;
  /** Rows of the whole list, where `count` is only what has been loaded. */
  readonly total?: number;
  /** Pixels. */
  readonly rowHeight: number;
  readonly label: string;
  readonly role: 'tree' | 'listbox' | 'list' | 'grid' | 'table';
  /** The row that has the tab stop. */
  readonly active: number;
  readonly onActive: (index: number) => void;
  /** Rows that exist now: first, and the one after the last. */
  readonly onRange?: (from: number, to: number) => void;
  /** Keys beyond the arrows, Home, End and Page keys. Returns whether the key was used. */
  readonly onKey?: (event: KeyboardEvent, index: number) => boolean;
  readonly render: (place: RowPlace) => ComponentChildren;
  readonly class?: string;
  /** A change of it scrolls to the active row; -1: nothing scrolls. */
  readonly reveal?: number;
  readonly multiselectable?: boolean;
  readonly head?: ComponentChildren;
}

export function VirtualRows(props: VirtualRowsProps) {
  const { count, rowHeight, active } = props;
  const element = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const focusWanted = useRef(false);
  const { height, scale, from, to, offset } = windowOf(view.top, view.height, count, rowHeight);

  useLayoutEffect(() => measure(element, setView), []);
  useEffect(() => props.onRange?.(from, to), [from, to]);
  useLayoutEffect(() => {
    if (!focusWanted.current) return;
    focusWanted.current = false;
    element.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
  }, [active]);
  useLayoutEffect(() => {
    if (props.reveal !== undefined && props.reveal !== -1) show(active);
  }, [props.reveal]);

  function show(index: number): void {
    const box = element.current;
    if (box === null) return;
    const first = index * rowHeight;
    const top = box.scrollTop * scale;
    const room = box.clientHeight - rowHeight;
    if (first < top) box.scrollTop = first / scale;
    else if (first > top + room) box.scrollTop = (first - room) / scale;
  }

  function move(index: number): void {
    const next = Math.max(0, Math.min(count - 1, index));
    focusWanted.current = true;
    show(next);
    props.onActive(next);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const target = keyTarget(event.key, active, page, count);
    if (event.target instanceof HTMLInputElement) return;
    if (target !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      move(target);
      event.preventDefault();
    } else if (props.onKey?.(event, active) === true) {
      event.preventDefault();
      focusWanted.current = true;
    }
  }

  const rows: ComponentChildren[] = [];
  const place = (index: number): RowPlace => ({
    index,
    tabIndex: index === active ? 0 : -1,
    style: { transform: `translateY(${index * rowHeight + offset}px)`, height: `${rowHeight}px` },
    aria: { 'aria-posinset': index + 1, 'aria-setsize': props.total ?? count },
  });
  if (active < from && active >= 0 && count > 0) rows.push(props.render(place(active)));
  for (let index = from; index < to; index++) rows.push(props.render(place(index)));
  if (active >= to && active < count) rows.push(props.render(place(active)));

  return (
    <div
      ref={element}
      class={`rows ${props.class ?? ''}`}
      role={props.role}
      aria-label={props.label}
      aria-multiselectable={props.multiselectable}
      aria-rowcount={props.role === 'grid' || props.role === 'table' ? count : undefined}
      tabIndex={count === 0 ? 0 : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="rows-space" role="presentation" style={{ height: `${height}px` }}>
        {rows}
      </div>
    </div>
  );
}

function keyTarget(key: string, active: number, page: number, count: number): number | undefined {
  if (key === 'ArrowDown') return active + 1;
  if (key === 'ArrowUp') return active - 1;
  if (key === 'PageDown') return active + page;
  if (key === 'PageUp') return active - page;
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : undefined;
}

/** Follow the scroll position and the height of the box, at most once per frame. */
function measure(
  element: RefObject<HTMLDivElement | null>,
  setView: (view: { top: number; height: number }) => void,
): (() => void) | undefined {
  const box = element.current;
  if (box === null) return undefined;
  let frame = 0;
  const read = (): void => {
    frame = 0;
    setView({ top: box.scrollTop, height: box.clientHeight });
  };
  const soon = (): void => {
    if (frame === 0) frame = requestAnimationFrame(read);
  };
  read();
  const sizes = new ResizeObserver(soon);
  sizes.observe(box);
  box.addEventListener('scroll', soon, { passive: true });
  return () => {
    cancelAnimationFrame(frame);
    sizes.disconnect();
    box.removeEventListener('scroll', soon);
  };
}
