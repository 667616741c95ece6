import { t } from '../i18n.ts';
import { route, setState, stateOf } from '../router.ts';
import { isReduced } from '../session.ts';
import { Tabs } from '../ui/tabs.tsx';
import { Inspector } from './inspector.tsx';
import { RetainedPane } from './retained.tsx';
import { SearchBar, SearchResults } from './search.tsx';
import { TopicTree } from './tree.tsx';

/** Tree or retained messages on one side, the chosen topic on the other; on a phone one at a time. */
export function TopicsScreen() {
  const pane = stateOf('pane') === 'retained' ? 'retained' : 'tree';
  const hasTopic = route.value.state['topic'] !== undefined;
  return (
    <div class={`split${hasTopic ? ' has-detail' : ''}`}>
      <div class="side">
        {isReduced.value ? null : (
          <Tabs
            label={t('screen.topics')}
            value={pane}
            tabs={[
              { value: 'tree', text: t('topics.tree') },
              { value: 'retained', text: t('retained.title') },
            ]}
            onChange={(value) => setState({ pane: value === 'tree' ? '' : value })}
          />
        )}
        {pane === 'retained' ? (
          <RetainedPane />
        ) : (
          <>
            {isReduced.value ? null : <SearchBar />}
            {stateOf('q') === '' || isReduced.value ? <TopicTree /> : <SearchResults />}
          </>
        )}
      </div>
      <div class="detail">
        {hasTopic ? (
          <Inspector key={stateOf('topic')} topic={stateOf('topic')} />
        ) : (
          <p class="empty">{t('topics.choose')}</p>
        )}
      </div>
    </div>
  );
}
