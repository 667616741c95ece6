import { useLayoutEffect, useRef } from 'preact/hooks';

/** A row of choices of which one is shown: arrow keys move, as in any tab list. */
export function Tabs<V extends string>(props: {
  label: string;
  value: V;
  tabs: readonly { readonly value: V; readonly text: string }[];
  onChange: (value: V) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  // On a phone not all of them fit.
  useLayoutEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [props.value]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = props.tabs.findIndex((tab) => tab.value === props.value);
    const next = (at + step + props.tabs.length) % props.tabs.length;
    const tab = props.tabs[next];
    if (tab === undefined) return;
    props.onChange(tab.value);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
  };
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={props.label} onKeyDown={onKeyDown}>
      {props.tabs.map((tab) => (
        <button
          key={tab.value}
          type="button"
          role="tab"
          aria-selected={tab.value === props.value}
          tabIndex={tab.value === props.value ? 0 : -1}
          onClick={() => props.onChange(tab.value)}
          data-tab={tab.value}
        >
          {tab.text}
        </button>
      ))}
    </div>
  );
}
