import { splitInvisible } from '../inspect/invisible.ts';

/** Characters of a text drawn at once; the rest is cut, and said so by an ellipsis. */
const drawnMax = 20_000;

/**
 * Text that came from somebody else: a topic, a payload, a name. It is a text node, kept apart from the direction of
 * what stands around it, and what is invisible in it is shown by name.
 */
export function Shown({ text, max = drawnMax, class: extra = '' }: { text: string; max?: number; class?: string }) {
  const cut = text.length > max ? text.slice(0, max) : text;
  const segments = splitInvisible(cut);
  return (
    <bdi class={`shown ${extra}`}>
      {segments.map((segment, index) =>
        'plain' in segment ? (
          segment.plain
        ) : (
          <span key={index} class="invisible" title={segment.code}>
            {segment.name}
          </span>
        ),
      )}
      {cut.length < text.length ? '…' : ''}
    </bdi>
  );
}
