"""svg and html: pictures and a page that stand alone, well formed, with the figures of the summary in them."""
import html.parser
import os
import re
import sys
import xml.etree.ElementTree as ET

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import harness

SVG = '{http://www.w3.org/2000/svg}'
EMPTY = {'meta', 'br', 'hr', 'img', 'link', 'input'}


class Balance(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.bad, self.seen, self.text, self.links = [], [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.links += [v for k, v in attrs if k in ('src', 'href', 'xlink:href')]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(tag)

    def handle_data(self, data):
        self.text.append(data)


class Pages(harness.Case):
    def setUp(self):
        super().setUp()
        self.trace = self.put('t<&>.trace', harness.unpacked('traces/mutex-go1.26'))

    def test_a_picture(self):
        svg = self.golanes('export', '-q', self.trace, '--to', 'svg').out
        root = ET.fromstring(svg)
        self.assertEqual(root.tag, SVG + 'svg')
        self.assertIn('main.main', ''.join(''.join(root.itertext()).split()))
        part = self.golanes('export', '-q', self.trace, '--to', 'svg', '--from', '10ms', '--to', '11ms', '--theme', 'light', '--width', '100').out
        self.assertNotEqual(part, svg)
        self.assertLess(float(re.sub('[a-z]+', '', ET.fromstring(part).get('width'))), float(re.sub('[a-z]+', '', root.get('width'))))
        os.mkdir(self.path('d'))
        self.assertEqual(svg, self.golanes('export', '-q', self.lanes(self.trace, 'd/t<&>.trace'), '--to', 'svg').out)

    def test_a_page(self):
        page = self.golanes('export', '-q', self.trace, '--to', 'html').out.decode()
        p = Balance()
        p.feed(page)
        p.close()
        self.assertEqual((p.bad, p.open), ([], []))
        self.assertGreaterEqual(p.seen, {'html', 'svg', 'pre', 'h2', 'title'})
        self.assertEqual([link for link in p.links if link and not link.startswith('#')], [])
        text = ''.join(p.text)
        self.assertIn('t<&>.trace', text)
        for line in self.golanes('summary', '-q', '--width', '140', '--top', '20', self.trace).out.decode().splitlines()[2:12]:
            self.assertIn(line.rstrip(), text)

    def test_refusals(self):
        self.assert_refused(harness.run('export', self.trace, '--to', 'svg', '--theme', 'pink'), '--theme', 'dark')
        self.assert_refused(harness.run('export', self.trace, '--to', 'svg', '-g', '1'), '--goroutine')
        self.assert_refused(harness.run('export', self.trace, '--to', 'chrome', '--theme', 'dark'), '--theme', 'svg and html')


if __name__ == '__main__':
    harness.main()
