// Answers what Microsoft's own Word proxies ask, from a list of paragraphs. Their request is a list of actions on object
// paths; the answer has one result for each action, a collection as `_Items` with `_Id`s.
function answerProxies(paragraphs) {
  const host = { paragraphs, selection: null, asked: [] };
  const wholeOf = (p) => ({ kind: 'range', p, a: 0, b: paragraphs[p].length });

  function call(target, name, [first, second]) {
    const range = target.kind === 'paragraph' ? wholeOf(target.p) : target;
    if (name === 'Search') {
      if (!first || first.length > 255) throw Object.assign(new Error('SearchStringInvalidOrTooLong'), { code: 'InvalidArgument' });
      const [needle, text, items] = [first.replaceAll('^^', '^'), paragraphs[range.p], []];
      for (let at = text.indexOf(needle, range.a); at >= 0 && at + needle.length <= range.b; at = text.indexOf(needle, at + needle.length)) {
        items.push({ kind: 'range', p: range.p, a: at, b: at + needle.length });
      }
      return { kind: 'ranges', items };
    }
    if (name === 'GetRange') {
      if (first === 'Start') return { ...range, b: range.a };
      return first === 'End' ? { ...range, a: range.b } : range;
    }
    if (name === 'ExpandTo') return { ...range, a: Math.min(range.a, first.a), b: Math.max(range.b, first.b) };
    if (name === 'Select') return void (host.selection = { paragraph: range.p, start: range.a, text: paragraphs[range.p].slice(range.a, range.b) });
    if (name === 'InsertText') {
      if (second !== 'Replace') throw Object.assign(new Error(second), { code: 'InvalidArgument' });
      paragraphs[range.p] = paragraphs[range.p].slice(0, range.a) + first + paragraphs[range.p].slice(range.b);
      return { ...range, b: range.a + first.length };
    }
    throw Object.assign(new Error(`method ${name}`), { code: 'ApiNotFound' });
  }

  const itemsOf = (target) => (target.kind === 'paragraphs' ? paragraphs.map((_, p) => ({ kind: 'paragraph', p })) : target.items);
  const VALUES = { StyleBuiltIn: 'Normal', IsListItem: false, TableNestingLevel: 0 };

  function read(target, names) {
    const { p, a, b } = target.kind === 'paragraph' ? wholeOf(target.p) : target;
    return Object.fromEntries(names.map((name) => {
      const known = name[0].toUpperCase() + name.slice(1);
      return [known, known === 'Text' ? paragraphs[p].slice(a, b) : VALUES[known]];
    }));
  }

  function answer({ Actions, ObjectPaths }) {
    const known = {};
    const get = (id) => (known[id] ??= build(ObjectPaths[id]));
    const argumentsOf = ({ ArgumentInfo: info } = {}) => (info?.Arguments ?? []).map((value, at) => (info.ReferencedObjectPathIds?.[at] ? get(info.ReferencedObjectPathIds[at]) : value));
    const build = (path) => {
      const parent = () => get(path.ParentObjectPathId);
      if (path.ObjectPathType === 1) return { kind: 'global' };
      if (path.ObjectPathType === 2) return { kind: 'options' };
      if (path.ObjectPathType === 3) return call(parent(), path.Name, argumentsOf(path));
      if (path.ObjectPathType === 4) return { kind: path.Name.toLowerCase() };
      if (path.ObjectPathType === 5) return itemsOf(parent())[Number(String(path.ArgumentInfo.Arguments[0]).replace(/\D/g, ''))];
      throw new Error(`object path ${path.ObjectPathType}`);
    };
    const Results = [];
    for (const action of Actions) {
      try {
        const target = get(action.ObjectPathId);
        let Value = null;
        if (action.ActionType === 1) Value = {}; // null would make it a null object
        else if (action.ActionType === 2) {
          const names = action.QueryInfo.Select ?? [];
          const many = target.kind === 'paragraphs' || target.kind === 'ranges';
          Value = many ? { _Items: itemsOf(target).map((one, at) => ({ ...read(one, names.map((name) => name.replace(/^items\//, ''))), _Id: String(at) })) } : read(target, names);
        } else if (action.ActionType === 3) Value = call(target, action.Name, argumentsOf(action)) ?? null;
        Results.push({ ActionId: action.Id, Value });
      } catch (error) {
        return { Error: { Code: error.code ?? 'GeneralException', Message: error.message, Location: action.Name ?? '' }, Results, TraceIds: [] };
      }
    }
    return { Results, TraceIds: [] };
  }

  const { RequestContext } = Word;
  const executor = {
    executeAsync: async (_, __, message) => {
      host.asked.push(message.Body);
      return { ErrorCode: '', ErrorMessage: '', Headers: {}, Body: answer(message.Body) };
    },
  };
  Word.run = async (batch) => {
    const context = new RequestContext();
    context._requestExecutor = executor;
    const result = await batch(context);
    await context.sync();
    return result;
  };
  globalThis.Office = { context: { requirements: { isSetSupported: (name, version) => name === 'WordApi' && Number(version) <= 1.3 } } };
  globalThis.proxyHost = host;
}
