import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** A label above its control. @param children - draws the control with the id that the label points to */
export function Field(props: {
  label: string;
  hint?: string;
  class?: string;
  children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class={`field ${props.class ?? ''}`}>
      <label for={id}>{props.label}</label>
      {props.children(id)}
      {props.hint === undefined ? null : <span class="hint muted">{props.hint}</span>}
    </div>
  );
}
