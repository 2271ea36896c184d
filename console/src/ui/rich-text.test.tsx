import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { blocks, inline, RichText, safeUrl } from './rich-text';

const html = (text: string) => renderToStaticMarkup(<RichText text={text} />);

describe('text of a scanner', () => {
  it('never becomes markup', () => {
    expect(html('a <script>alert(1)</script> & <img src=x onerror=alert(1)>')).toBe('<div class="rich"><p>a &lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;img src=x onerror=alert(1)&gt;</p></div>');
    expect(html('**<b onclick=x>** `</code><script>`')).toBe('<div class="rich"><p><b>&lt;b onclick=x&gt;</b> <code>&lt;/code&gt;&lt;script&gt;</code></p></div>');
    expect(html('[here](javascript:alert(1))')).not.toContain('<a');
  });
  it('keeps paragraphs and short lines, and joins lines that were wrapped', () => {
    expect(html('One.\nTwo.\n\nThree')).toBe('<div class="rich"><p>One.<br/>Two.</p><p>Three</p></div>');
    const wrapped = 'This sentence is longer than sixty characters and goes on in the\nnext line.';
    expect(blocks(wrapped)).toEqual([{ kind: 'p', lines: [[{ kind: 'text', text: wrapped.replace('\n', ' ') }]] }]);
  });
  it('knows lists, with lines that go on', () => {
    expect(html('Do:\n1. one\n2. two\n   more\n\n- a\n* b\n• c')).toBe('<div class="rich"><p>Do:</p><ol start="1"><li>one</li><li>two more</li></ol><ul><li>a</li><li>b</li><li>c</li></ul></div>');
    expect(html('3) three')).toBe('<div class="rich"><ol start="3"><li>three</li></ol></div>');
  });
  it('leaves fenced code as it is, also when the fence never closes', () => {
    expect(blocks('```sh\naz a **b** `c`\n  - d\n```\nafter')).toEqual([{ kind: 'pre', text: 'az a **b** `c`\n  - d' }, { kind: 'p', lines: [[{ kind: 'text', text: 'after' }]] }]);
    expect(blocks('```\nx')).toEqual([{ kind: 'pre', text: 'x' }]);
  });
  it('shows headings as bold lines', () => expect(html('## Fix **it** now ##\nnext')).toBe('<div class="rich"><p><b>Fix it now</b></p><p>next</p></div>'));
  it('leaves lonely marks alone', () => expect(inline('a ** b ` c')).toEqual([{ kind: 'text', text: 'a ** b ` c' }]));
  it('is empty for nothing', () => expect(blocks(' \r\n \n')).toEqual([]));
});
describe('safeUrl', () => {
  it.each(['javascript:alert(1)', 'data:text/html,x', ' JavaScript:x', 'file:///etc/passwd', 'nonsense', '', null, undefined])('refuses %s', (url) => expect(safeUrl(url)).toBeNull());
  it('takes web addresses', () => expect(safeUrl('https://docs.example/a?b=1')).toBe('https://docs.example/a?b=1'));
});
