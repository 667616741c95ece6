import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';

/** A number with its name, and on request a sentence that says what it means. */
export function Stat(props: {
  name: string;
  value: string;
  explain: string;
  link?: string;
  children?: ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <section class="stat" aria-labelledby={id}>
      <div class="bar">
        <h3 id={id} class="grow">
          {props.link === undefined ? props.name : <a href={props.link}>{props.name}</a>}
        </h3>
        <Button
          icon="info"
          kind="quiet"
          label={t('explain', { name: props.name })}
          expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
      </div>
      <strong class="stat-value">{props.value}</strong>
      <span class="muted small">{props.children}</span>
      {isOpen ? <p class="explain">{props.explain}</p> : null}
    </section>
  );
}
