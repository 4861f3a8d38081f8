/**
 * Tabs after the ARIA pattern: arrow keys, Home and End move and select; the address' hash names the tab, before a question mark. `onShow`
 * is called each time that a tab comes to the front. Returns what brings a tab to the front.
 */
export function wireTabs(list: HTMLElement, onShow: (name: string) => void): (name: string) => void {
  const tabs = [...list.querySelectorAll<HTMLElement>('[role=tab]')];
  const nameOf = (tab: HTMLElement) => tab.id.replace(/^tab-/, '');
  const panelOf = (tab: HTMLElement) => document.getElementById(tab.getAttribute('aria-controls') ?? '');

  const select = (chosen: HTMLElement) => {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      const panel = panelOf(tab);
      if (panel) panel.hidden = !selected;
    }
    onShow(nameOf(chosen));
  };

  const choose = (tab: HTMLElement) => {
    history.replaceState(null, '', `#${nameOf(tab)}`);
    select(tab);
  };

  list.addEventListener('click', ({ target }) => {
    const tab = target instanceof Element ? target.closest<HTMLElement>('[role=tab]') : null;
    if (tab) choose(tab);
  });
  list.addEventListener('keydown', (event) => {
    const current = tabs.indexOf(document.activeElement as HTMLElement);
    const next = {
      ArrowRight: (current + 1) % tabs.length,
      ArrowLeft: (current + tabs.length - 1) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    }[event.key];
    if (current < 0 || next === undefined) return;
    event.preventDefault();
    tabs[next]!.focus();
    choose(tabs[next]!);
  });
  const fromHash = () => tabs.find((tab) => `#${nameOf(tab)}` === location.hash.split('?')[0]) ?? tabs[0]!;
  addEventListener('hashchange', () => select(fromHash()));
  select(fromHash());
  return (name) => choose(tabs.find((tab) => nameOf(tab) === name)!);
}
