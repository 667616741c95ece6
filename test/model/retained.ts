/** Retained messages by level, parents before children and children in the order in which they came. */

export interface RetainedModelNode<T> {
  readonly topic: string;
  value: T | undefined;
  children: RetainedModelNode<T>[];
}

export class RetainedModel<T> {
  readonly #root: RetainedModelNode<T> = { topic: '', value: undefined, children: [] };

  set(topic: string, value: T): void {
    let node = this.#root;
    for (const path of pathsOf(topic)) {
      const found = node.children.find((child) => child.topic === path);
      const next = found ?? { topic: path, value: undefined, children: [] };
      if (found === undefined) node.children.push(next);
      node = next;
    }
    node.value = value;
  }

  delete(topic: string): void {
    const remove = (node: RetainedModelNode<T>): void => {
      if (node.topic === topic) node.value = undefined;
      for (const child of node.children) remove(child);
      node.children = node.children.filter(({ value, children }) => value !== undefined || children.length > 0);
    };
    remove(this.#root);
  }

  find(isWanted: (topic: string) => boolean): RetainedModelNode<T>[] {
    const found: RetainedModelNode<T>[] = [];
    const look = (node: RetainedModelNode<T>): void => {
      if (node.value !== undefined && isWanted(node.topic)) found.push(node);
      node.children.forEach(look);
    };
    look(this.#root);
    return found;
  }
}

/** 'a/b/c' → 'a', 'a/b', 'a/b/c' */
function pathsOf(topic: string): string[] {
  const levels = topic.split('/');
  return levels.map((_, index) => levels.slice(0, index + 1).join('/'));
}
