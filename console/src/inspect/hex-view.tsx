import { useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { VirtualRows } from '../ui/virtual-rows.tsx';

/** Sixteen bytes of a payload as the line of a hex dump: offset, bytes, letters. */
export function hexLine(bytes: Uint8Array, start: number): { offset: string; hex: string; letters: string } {
  const part = bytes.subarray(start, start + 16);
  const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, '0'));
  return {
    offset: start.toString(16).padStart(8, '0'),
    hex: `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`.trimEnd(),
    letters: Array.from(part, (byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
  };
}

/** @param marked - whether the byte at an offset is drawn as changed */
export function HexView({ bytes, marked }: { bytes: Uint8Array; marked?: (offset: number) => boolean }) {
  const [active, setActive] = useState(0);
  return (
    <VirtualRows
      class="hex"
      role="list"
      label={t('inspector.hex')}
      count={Math.ceil(bytes.length / 16)}
      rowHeight={22}
      active={active}
      onActive={setActive}
      render={(place) => {
        const start = place.index * 16;
        const line = hexLine(bytes, start);
        const isMarked = marked !== undefined && line.letters.split('').some((_, index) => marked(start + index));
        return (
          <div
            key={place.index}
            class={`row hex-row${isMarked ? ' changed' : ''}`}
            role="listitem"
            tabIndex={place.tabIndex}
            style={place.style}
            onClick={() => setActive(place.index)}
          >
            <span class="muted">{line.offset}</span>
            <span class="hex-bytes">{line.hex}</span>
            <span class="hex-letters">{line.letters}</span>
          </div>
        );
      }}
    />
  );
}
