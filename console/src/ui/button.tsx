import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** Says what a button with nothing but an icon does. */
  readonly label?: string;
  /** Says more to the pointer than the text does. */
  readonly title?: string;
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly autoFocus?: boolean;
  readonly onClick?: (event: MouseEvent) => void;
  readonly testId?: string;
}

export function Button(props: ButtonProps) {
  const { children, icon, label, kind = 'plain', type = 'button' } = props;
  return (
    <button
      type={type}
      class={`button ${kind}${children === undefined ? ' only-icon' : ''}`}
      aria-label={label}
      title={props.title ?? label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      disabled={props.disabled ?? false}
      autofocus={props.autoFocus ?? false}
      onClick={props.onClick}
      data-testid={props.testId}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}
