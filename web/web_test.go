package web

import (
	"regexp"
	"strings"
	"testing"
)

func served(dev bool) map[string]string {
	out := map[string]string{}
	for _, f := range Files(dev) {
		out[f.Path] = string(f.Body)
	}
	return out
}

// Whoever looks over a shoulder, into the history or into the cache must not
// learn what kind of service this is.
func TestNothingSaysWhatTheServiceIsFor(t *testing.T) {
	telling := regexp.MustCompile(`(?i)mental|health|therap|counsel|psych|clinic|patient|crisis|depress|anxi|wellbeing|anonym|professional`)
	for path, body := range served(true) {
		if found := telling.FindString(path + "\n" + body); found != "" {
			t.Errorf("%s says %q", path, found)
		}
	}
}

// A page loads nothing but these files: all that it names are here, and no
// address of another host is.
func TestPagesAreWhole(t *testing.T) {
	loads := regexp.MustCompile(`(?:src="|href="|from '|import\(')([^"']*)`)
	for _, dev := range []bool{false, true} {
		all := served(dev)
		for path, body := range all {
			if strings.Contains(body, "://") {
				t.Errorf("%s names another host", path)
			}
			for _, m := range loads.FindAllStringSubmatch(body, -1) {
				if _, ok := all[m[1]]; !ok && m[1] != "/device.js" {
					t.Errorf("%s loads %q", path, m[1])
				}
			}
		}
	}
}

func TestTheBrowsersKeyIsForDevelopment(t *testing.T) {
	for _, dev := range []bool{false, true} {
		all := served(dev)
		if _, ok := all["/device.js"]; ok != dev {
			t.Errorf("dev %t: device.js is served: %t", dev, ok)
		}
		if offered := strings.Contains(all["/signin"], `id="device"`); offered != dev {
			t.Errorf("dev %t: the page offers the key: %t", dev, offered)
		}
		if strings.Contains(all["/signin"], "{{") || !strings.Contains(all["/signin"], "</html>") {
			t.Errorf("dev %t: the page is not whole", dev)
		}
	}
}
