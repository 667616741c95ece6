import { useState } from 'preact/hooks';
import { messageOf } from '../api/call.ts';
import { Icon } from './icon.tsx';

/** A form whose work may fail; the message stays until the next try. */
export function useSubmit(work: (form: FormData) => Promise<void>) {
  const [error, setError] = useState<string | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const run = async (form: FormData): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await work(form);
    } catch (failure) {
      setError(messageOf(failure));
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (event.currentTarget instanceof HTMLFormElement) void run(new FormData(event.currentTarget));
  };
  return { onSubmit, error, isBusy };
}

/** What went wrong, read out at once. */
export function Failure({ message }: { message: string | undefined }) {
  return (
    <p class="failure" role="alert" hidden={message === undefined}>
      {message === undefined ? null : <Icon name="warning" />} {message}
    </p>
  );
}
