/** Which rows of a long list are visible, and where they stand. */

/** Pixels; browsers stop somewhat above. A longer list gets a scaled scroll bar. */
const heightMax = 8_000_000;
/** Rows kept ready beyond what is visible, at both ends. */
const overscan = 6;

export interface RowWindow {
  /** Of the scrolled content, in pixels. */
  readonly height: number;
  /** Pixels of rows for one pixel of the scroll bar. */
  readonly scale: number;
  readonly from: number;
  /** The one after the last. */
  readonly to: number;
  /** To be added to a row's own position. */
  readonly offset: number;
}

export function windowOf(scrollTop: number, viewHeight: number, count: number, rowHeight: number): RowWindow {
  const full = count * rowHeight;
  const height = Math.min(full, heightMax);
  const scale = full > height && height > viewHeight ? (full - viewHeight) / (height - viewHeight) : 1;
  const top = Math.max(0, Math.min(scrollTop * scale, full - viewHeight));
  const from = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const to = Math.min(count, Math.ceil((top + viewHeight) / rowHeight) + overscan);
  return { height, scale, from, to, offset: scale === 1 ? 0 : scrollTop - top };
}
