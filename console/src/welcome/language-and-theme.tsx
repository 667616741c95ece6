import { language, t, useLanguage } from '../i18n.ts';
import { chooseTheme, themeChoice, themeChoices } from '../theme.ts';

/** The name of a language in itself. */
const nameOf = (tag: string): string => {
  const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
};

export function LanguageAndTheme() {
  return (
    <div class="bar language-and-theme">
      <label class="inline">
        {t('settings.language')}
        <select
          value={language.value}
          onChange={(event) => void useLanguage(event.currentTarget.value, true)}
          data-testid="language"
        >
          {LANGUAGES.map((tag) => (
            <option key={tag} value={tag} lang={tag}>
              {nameOf(tag)}
            </option>
          ))}
        </select>
      </label>
      <label class="inline">
        {t('settings.theme')}
        <select
          value={themeChoice.value}
          onChange={(event) => {
            const chosen = themeChoices.find((choice) => choice === event.currentTarget.value);
            if (chosen !== undefined) chooseTheme(chosen);
          }}
          data-testid="theme"
        >
          {themeChoices.map((choice) => (
            <option key={choice} value={choice}>
              {t(`theme.${choice}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
