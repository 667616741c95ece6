import { useEffect, useId, useState } from 'preact/hooks';
import { call } from '../api/call.ts';
import { isReduced } from '../session.ts';

const offeredMax = 12;

/** A field for a topic, completed from what the broker knows. */
export function TopicInput(props: {
  id: string;
  value: string;
  onInput: (value: string) => void;
  onCommit?: (value: string) => void;
  required?: boolean;
}) {
  const list = useId();
  const [offers, setOffers] = useState<readonly string[]>([]);
  const { value } = props;
  useEffect(() => {
    if (isReduced.value || value.length < 2 || /[#+\s]/.test(value)) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      call('GET /topics/search', { query: { q: value, limit: String(offeredMax) }, signal: stop.signal }).then(
        (found) => setOffers(found.items.map((row) => row.topic)),
        () => undefined,
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [value]);
  return (
    <>
      <input
        id={props.id}
        list={list}
        class="mono"
        value={value}
        required={props.required ?? false}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        onInput={(event) => props.onInput(event.currentTarget.value)}
        onChange={(event) => props.onCommit?.(event.currentTarget.value)}
      />
      <datalist id={list}>
        {offers.map((topic) => (
          <option key={topic} value={topic} />
        ))}
      </datalist>
    </>
  );
}
