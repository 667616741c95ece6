import { useCall } from '../api/use-call.ts';
import { t } from '../i18n.ts';
import { setState, stateOf } from '../router.ts';
import { Field } from '../ui/field.tsx';
import { Shown } from '../ui/shown.tsx';

/** Every option in force, and the file and line that set it. */
export function ConfigPane() {
  const { data, error } = useCall('GET /config', {});
  const search = stateOf('option');
  const all = stateOf('all') !== '';
  if (data === undefined) return <p class="empty">{error ?? t('loading')}</p>;
  const wanted = search.toLowerCase();
  const rows = data.items.filter(
    (row) =>
      (all || wanted !== '' || !row.isDefault) &&
      `${row.option} ${row.value} ${row.section}`.toLowerCase().includes(wanted),
  );
  return (
    <section class="panel scroll" aria-label={t('settings.config')}>
      <div class="bar filters">
        <Field label={t('config.search')} class="grow row-field">
          {(id) => (
            <input
              id={id}
              type="search"
              value={search}
              onInput={(event) => setState({ option: event.currentTarget.value }, 'replace')}
            />
          )}
        </Field>
        <label class="check">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setState({ all: event.currentTarget.checked ? '1' : '' }, 'replace')}
          />
          {t('config.defaults')}
        </label>
      </div>
      <p class="muted small">
        {data.file === null ? t('config.noFile') : <Shown text={data.file} max={500} />} ·{' '}
        {t('config.count', { n: rows.length })}
      </p>
      <div class="scroll-x" tabIndex={0}>
        <table class="table config stacked">
          <thead>
            <tr>
              <th>{t('config.option')}</th>
              <th>{t('config.value')}</th>
              <th>{t('config.from')}</th>
              <th>{t('config.reload')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                <th scope="row">
                  <details>
                    <summary>
                      <code>{row.option}</code>
                    </summary>
                    <p class="explain">{row.doc}</p>
                  </details>
                  <span class="muted small">{row.section === 'global' ? '' : row.section}</span>
                </th>
                <td>
                  <code class="wrap">
                    <Shown text={row.value} max={500} />
                  </code>
                </td>
                <td class="muted small">
                  {row.file === null ? (
                    t('config.default')
                  ) : (
                    <Shown text={`${shortName(row.file)}:${row.line ?? '?'}`} max={300} />
                  )}
                </td>
                <td class="muted small">{t(`config.reload.${row.reload}`)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const shortName = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;
