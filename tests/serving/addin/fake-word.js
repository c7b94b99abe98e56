// A small Word: proxies whose commands wait for `sync`, the errors Word throws, the limits of its search, requirement
// sets, tracked changes, annotations and events. CONFIG is set before this script runs; `fakeWord` is what tests look at.
(() => {
  const config = { sets: 1.8, subscription: true, host: 'Word', readOnly: false, ...globalThis.CONFIG };
  let lastId = 0;
  const newId = () => `00000000-0000-4000-8000-${String(++lastId).padStart(12, '0')}`;

  class RichApiError extends Error {
    constructor(code, message = code) {
      super(message);
      this.name = 'RichApi.Error';
      this.code = code;
    }
  }

  /** A paragraph is runs: `n` as they were, `i` inserted, `d` deleted; each tracked one belongs to a change. */
  const paragraphOf = (given) => {
    const one = typeof given === 'string' ? { text: given } : given;
    const runs = one.runs ?? [{ text: one.text, kind: 'n' }];
    return { id: newId(), style: one.style ?? 'Normal', list: !!one.list, table: one.table ?? 0, runs, annotations: [] };
  };

  const rawOf = (paragraph) => paragraph.runs.map((run) => run.text).join('');
  const currentOf = (paragraph) => paragraph.runs.filter((run) => run.kind !== 'd').map((run) => run.text).join('');

  const word = {
    paragraphs: (config.paragraphs ?? []).map(paragraphOf),
    mode: 'Off',
    modes: [],
    selection: null,
    comments: [],
    handlers: {},
    settings: { ...(config.settings ?? {}) },
    saved: 0,
    syncs: 0,
    searched: [],
    text: () => word.paragraphs.map(currentOf),
    runs: () => word.paragraphs.map((paragraph) => paragraph.runs.map(({ text, kind, bold }) => [text, kind, !!bold])),
    selected() {
      const { start, end, a, b } = word.selection;
      return { paragraph: word.paragraphs.indexOf(start), text: slice(start, a, end, b, false), start: currentLength(start, a) };
    },
    edit(index, text) {
      const paragraph = word.paragraphs[index];
      paragraph.runs = [{ text, kind: 'n' }];
      word.fire('onParagraphChanged', { type: 'ParagraphChanged', source: 'Remote', uniqueLocalIds: [paragraph.id] });
    },
    insert(index, text) {
      const paragraph = paragraphOf(text);
      word.paragraphs.splice(index, 0, paragraph);
      word.fire('onParagraphAdded', { type: 'ParagraphAdded', source: 'Local', uniqueLocalIds: [paragraph.id] });
    },
    select(index, from, to = index, a = 0, b = null) {
      const [start, end] = [word.paragraphs[index], word.paragraphs[to]];
      word.selection = { start, a: from ?? a, end, b: b ?? rawOf(end).length };
    },
    fire(name, event) {
      for (const handler of word.handlers[name] ?? []) handler(event);
    },
  };
  globalThis.fakeWord = word;

  /** How many characters that are not deleted stand before a raw offset. */
  function currentLength(paragraph, offset) {
    return textBetween(paragraph, 0, offset, false).length;
  }

  function textBetween(paragraph, a, b, deleted) {
    let at = 0;
    let out = '';
    for (const run of paragraph.runs) {
      const [from, to] = [Math.max(0, a - at), Math.min(run.text.length, b - at)];
      if (to > from && (deleted || run.kind !== 'd')) out += run.text.slice(from, to);
      at += run.text.length;
    }
    return out;
  }

  function slice(start, a, end, b, deleted) {
    if (start === end) return textBetween(start, a, b, deleted);
    const [first, last] = [word.paragraphs.indexOf(start), word.paragraphs.indexOf(end)];
    return word.paragraphs.slice(first, last + 1).map((one, at) => textBetween(one, at ? 0 : a, one === end ? b : Infinity, deleted)).join('\r');
  }

  /** Replaces raw offsets of one paragraph; tracked where the mode says so. */
  function write(paragraph, a, b, text) {
    if (config.readOnly) throw new RichApiError('NotAllowed');
    const tracked = word.mode !== 'Off';
    const [deletion, insertion] = [newId(), newId()];
    const out = [];
    let at = 0;
    let written = false;
    const put = (bold) => {
      if (!written && text) out.push({ text, kind: tracked ? 'i' : 'n', change: tracked ? insertion : undefined, bold });
      written = true;
    };
    for (const run of paragraph.runs) {
      const [from, to] = [Math.max(0, a - at), Math.min(run.text.length, b - at)];
      const cut = (x, y, more = {}) => y > x && out.push({ ...run, ...more, text: run.text.slice(x, y) });
      if (to > from) {
        cut(0, from);
        if (run.kind === 'd') cut(from, to);
        else if (tracked && run.kind === 'n') cut(from, to, { kind: 'd', change: deletion });
        if (at + to >= b) put(run.bold);
        cut(to, run.text.length);
      } else out.push(run);
      at += run.text.length;
      if (at >= b) put(run.bold);
    }
    put(false);
    paragraph.runs = out;
    word.fire('onParagraphChanged', { type: 'ParagraphChanged', source: 'Local', uniqueLocalIds: [paragraph.id] });
  }

  const need = (version) => {
    if (version > config.sets) throw new RichApiError('ApiNotFound', `WordApi ${version} is not supported by this host`);
  };

  class Proxy_ {
    constructor(context) {
      this.context = context;
      this.values = {};
      this.list = null;
    }

    defer(command) {
      this.context.queue.push(command);
    }

    later(version, compute) {
      need(version);
      const result = {
        get value() {
          throw new RichApiError('ValueNotLoaded', 'The value of the result object has not been loaded yet.');
        },
      };
      this.defer(() => Object.defineProperty(result, 'value', { value: compute() }));
      return result;
    }

    load(names) {
      if (typeof names !== 'object' || Array.isArray(names)) throw new RichApiError('InvalidArgument', 'this fake takes the object form of load only: its names are checked by the compiler');
      for (const name of Object.keys(names)) this.constructor.properties[name] ? need(this.constructor.properties[name]) : this.constructor.of ?? need(99);
      this.defer(() => {
        const targets = this.constructor.of ? this.fetch() : [this];
        for (const target of targets) for (const name of Object.keys(names)) {
          need(target.constructor.properties[name] ?? 99);
          target.values[name] = target.read(name);
        }
      });
      return this;
    }

    get items() {
      if (!this.list) throw new RichApiError('PropertyNotLoaded', "The property 'items' is not available. Before reading the property's value, call the load method on the containing object and call \"context.sync()\" on the associated request context.");
      return this.list;
    }

    static properties = {};

    static has(name, version) {
      this.properties = { ...this.properties, [name]: version };
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        get() {
          if (!(name in this.values)) throw new RichApiError('PropertyNotLoaded', `The property '${name}' is not available. Before reading the property's value, call the load method on the containing object and call "context.sync()" on the associated request context.`);
          return this.values[name];
        },
      });
    }
  }

  class Range extends Proxy_ {
    constructor(context, resolve) {
      super(context);
      this.resolve = resolve;
    }

    read() {
      const { start, a, end, b } = this.resolve();
      return slice(start, a, end, b, true);
    }

    getReviewedText(version) {
      return this.later(1.4, () => {
        const { start, a, end, b } = this.resolve();
        return slice(start, a, end, b, version === 'Original');
      });
    }

    getRange(location = 'Whole') {
      return new Range(this.context, () => {
        const whole = this.resolve();
        if (location === 'Start') return { ...whole, end: whole.start, b: whole.a };
        if (location === 'End') return { ...whole, start: whole.end, a: whole.b };
        return whole;
      });
    }

    expandTo(other) {
      return new Range(this.context, () => {
        const [one, two] = [this.resolve(), other.resolve()];
        const [x, y] = [positionsOf(one), positionsOf(two)];
        const [from, to] = [x.from <= y.from ? one : two, x.to >= y.to ? one : two];
        return { start: from.start, a: from.a, end: to.end, b: to.b };
      });
    }

    compareLocationWith(other) {
      return this.later(1.3, () => {
        const [x, y] = [positionsOf(this.resolve()), positionsOf(other.resolve())];
        if (x.from === y.from && x.to === y.to) return 'Equal';
        if (x.to < y.from) return 'Before';
        if (x.to === y.from) return 'AdjacentBefore';
        if (x.from > y.to) return 'After';
        if (x.from === y.to) return 'AdjacentAfter';
        if (x.from >= y.from && x.to <= y.to) return 'Inside';
        if (x.from <= y.from && x.to >= y.to) return 'Contains';
        return x.from < y.from ? 'OverlapsBefore' : 'OverlapsAfter';
      });
    }

    select() {
      this.defer(() => (word.selection = this.resolve()));
    }

    search(text, options = {}) {
      return new Hits(this.context, this, text, options);
    }

    insertText(text, location) {
      if (location !== 'Replace') throw new RichApiError('InvalidArgument');
      this.defer(() => {
        const { start, a, end, b } = this.resolve();
        if (start !== end) throw new RichApiError('InvalidArgument', 'over several paragraphs');
        write(start, a, b, text);
      });
      return new Range(this.context, () => {
        throw new RichApiError('ItemNotFound');
      });
    }

    delete() {
      this.defer(() => {
        const { start, a, b } = this.resolve();
        write(start, a, b, '');
      });
    }

    insertComment(text) {
      need(1.4);
      this.defer(() => {
        const { start, a, end, b } = this.resolve();
        word.comments.push({ on: slice(start, a, end, b, false), text });
      });
      return new Proxy_(this.context);
    }

    getTrackedChanges() {
      need(1.6);
      return new Changes(this.context, this);
    }
  }
  Range.has('text', 1.1);

  const positionsOf = ({ start, a, end, b }) => {
    const base = (paragraph) => word.paragraphs.slice(0, word.paragraphs.indexOf(paragraph)).reduce((sum, one) => sum + rawOf(one).length + 1, 0);
    return { from: base(start) + a, to: base(end) + b };
  };

  class Hits extends Proxy_ {
    static of = Range;

    constructor(context, scope, text, options) {
      super(context);
      word.searched.push(text);
      if (!text || text.length > 255) this.defer(() => {
        throw new RichApiError('InvalidArgument', 'SearchStringInvalidOrTooLong');
      });
      Object.assign(this, { scope, wanted: text, options });
    }

    fetch() {
      const { start: paragraph, a, b } = this.scope.resolve();
      const codes = { '^^': '^', '^t': '\t', '^s': '\u00a0', '^l': '\v', '^~': '\x1e', '^-': '\x1f' };
      const fold = (text) => {
        const quotes = text.replace(/[\u2018\u2019]/g, "'").replace(/[\u201c\u201d]/g, '"');
        return this.options.matchCase ? quotes : quotes.toLowerCase();
      };
      const needle = fold(this.wanted.replace(/\^./gs, (code) => {
        if (!(code in codes)) throw new RichApiError('InvalidArgument', `unknown code ${code}`);
        return codes[code];
      }));
      const text = fold(rawOf(paragraph).slice(a, b));
      this.list = [];
      for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length)) {
        const [from, to] = [a + at, a + at + needle.length];
        this.list.push(new Range(this.context, () => ({ start: paragraph, a: from, end: paragraph, b: to })));
      }
      return this.list;
    }
  }

  class Change extends Proxy_ {
    constructor(context, paragraph, change) {
      super(context);
      Object.assign(this, { paragraph, change });
    }

    get runs() {
      return this.paragraph.runs.filter((run) => run.change === this.change);
    }

    read(name) {
      if (name === 'type') return this.runs[0]?.kind === 'i' ? 'Added' : 'Deleted';
      return this.runs.map((run) => run.text).join('');
    }

    getRange() {
      return new Range(this.context, () => {
        const { runs } = this.paragraph;
        const first = runs.findIndex((run) => run.change === this.change);
        const a = runs.slice(0, first).reduce((sum, run) => sum + run.text.length, 0);
        return { start: this.paragraph, a, end: this.paragraph, b: a + this.runs.reduce((sum, run) => sum + run.text.length, 0) };
      });
    }

    reject() {
      this.defer(() => {
        this.paragraph.runs = this.paragraph.runs.flatMap((run) => {
          if (run.change !== this.change) return [run];
          return run.kind === 'i' ? [] : [{ ...run, kind: 'n', change: undefined }];
        });
      });
    }
  }
  Change.has('type', 1.6);
  Change.has('text', 1.6);

  class Changes extends Proxy_ {
    static of = Change;

    constructor(context, scope) {
      super(context);
      this.scope = scope;
    }

    fetch() {
      const { start } = this.scope.resolve();
      const ids = [...new Set(start.runs.flatMap((run) => run.change ?? []))];
      return (this.list = ids.map((id) => new Change(this.context, start, id)));
    }
  }

  class Paragraph extends Proxy_ {
    constructor(context, paragraph) {
      super(context);
      this.paragraph = paragraph;
    }

    read(name) {
      const { id, style, list, table } = this.paragraph;
      return { text: rawOf(this.paragraph), styleBuiltIn: style, isListItem: list, tableNestingLevel: table, uniqueLocalId: id }[name];
    }

    getRange(location = 'Whole') {
      return new Range(this.context, () => ({ start: this.paragraph, a: 0, end: this.paragraph, b: rawOf(this.paragraph).length })).getRange(location);
    }

    getReviewedText(version) {
      return this.getRange().getReviewedText(version);
    }

    search(text, options) {
      return this.getRange().search(text, options);
    }

    insertAnnotations({ critiques }) {
      need(1.7);
      return this.later(1.7, () => {
        if (!config.subscription) throw new RichApiError('GeneralException');
        return critiques.map((critique) => {
          const { start, length } = critique;
          if (start < 0 || length < 1 || start + length > currentOf(this.paragraph).length) throw new RichApiError('InvalidArgument');
          const id = newId();
          this.paragraph.annotations.push({ id, critique, text: currentOf(this.paragraph).slice(start, start + length) });
          return id;
        });
      });
    }
  }
  for (const [name, version] of Object.entries({ text: 1.1, styleBuiltIn: 1.3, isListItem: 1.3, tableNestingLevel: 1.3, uniqueLocalId: 1.6 })) Paragraph.has(name, version);

  class Paragraphs extends Proxy_ {
    static of = Paragraph;

    fetch() {
      return (this.list = word.paragraphs.map((paragraph) => new Paragraph(this.context, paragraph)));
    }
  }

  class Document_ extends Proxy_ {
    constructor(context) {
      super(context);
      this.body = { paragraphs: new Paragraphs(context) };
      const events = { onParagraphAdded: 1.6, onParagraphChanged: 1.6, onParagraphDeleted: 1.6, onAnnotationClicked: 1.7 };
      for (const [name, version] of Object.entries(events)) {
        Object.defineProperty(this, name, { get: () => {
          need(version);
          return { add: (handler) => this.defer(() => (word.handlers[name] ??= []).push(handler)) };
        } });
      }
    }

    read() {
      return word.mode;
    }

    get changeTrackingMode() {
      if (!('changeTrackingMode' in this.values)) throw new RichApiError('PropertyNotLoaded', "The property 'changeTrackingMode' is not available.");
      return this.values.changeTrackingMode;
    }

    set changeTrackingMode(mode) {
      need(1.4);
      this.defer(() => word.modes.push((word.mode = mode)));
    }

    getSelection() {
      const nowhere = { start: word.paragraphs[0], a: 0, end: word.paragraphs[0], b: 0 };
      return new Range(this.context, () => word.selection ?? nowhere);
    }

    getAnnotationById(id) {
      need(1.7);
      return { delete: () => this.defer(() => {
        for (const paragraph of word.paragraphs) paragraph.annotations = paragraph.annotations.filter((one) => one.id !== id);
      }) };
    }
  }
  Document_.properties = { changeTrackingMode: 1.4 };

  class RequestContext {
    queue = [];
    document = new Document_(this);

    async sync() {
      word.syncs += 1;
      const commands = this.queue;
      this.queue = [];
      await Promise.resolve();
      for (const command of commands) command();
    }
  }

  globalThis.Office = {
    HostType: { Word: 'Word' },
    EventType: { DocumentSelectionChanged: 'documentSelectionChanged' },
    onReady: async () => ({ host: config.host, platform: 'OfficeOnline' }),
    context: {
      officeTheme: config.theme,
      requirements: { isSetSupported: (name, version = '1.1') => name === 'WordApi' && Number(version) <= config.sets },
      document: {
        settings: {
          get: (name) => word.settings[name] ?? null,
          set: (name, value) => void (word.settings[name] = value),
          saveAsync: (done) => {
            word.saved += 1;
            setTimeout(() => done({ status: 'succeeded' }));
          },
        },
        addHandlerAsync: (name, handler) => (word.handlers[name] ??= []).push(handler),
      },
    },
  };
  globalThis.Word = {
    ChangeTrackingMode: { off: 'Off', trackAll: 'TrackAll' },
    ChangeTrackingVersion: { original: 'Original', current: 'Current' },
    InsertLocation: { replace: 'Replace' },
    RangeLocation: { whole: 'Whole', start: 'Start', end: 'End' },
    async run(batch) {
      const context = new RequestContext();
      const result = await batch(context);
      await context.sync();
      return result;
    },
  };
})();
