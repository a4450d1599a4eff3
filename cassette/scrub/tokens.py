"""The forms of tokens that identify or are secret, as one search over a text.

Every repeat in an expression is bounded, or is of single characters, so that a search takes time
in proportion to its text. tests/scrub/test_growth.py checks the form of each expression.
"""

from __future__ import annotations

import functools
import re
from itertools import groupby
from typing import TYPE_CHECKING

from cassette.scrub import secret_words
from cassette.scrub.hosts import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Mapping

_TELLING_WORD = (
    rf"(?:{secret_words.ANY}"
    r"|secret|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|(?<!max)(?<!max[_-])token(?!iz|[_-]ttl)|(?<!\bun)auth(?!or(?!iz)|enticate(?![a-z]))|credentials?|signature"
    r"|session[_-]?key|license[_-]?key|cookie|(?<![a-z])pass(?![a-z])"
    r"|(?:store|key)pass(?![a-z]))"
)
# Such as dbpass and root_pw.
OF_ACCOUNT = r"(?:admin|bind|db|ldap|pg|mongo|mysql|redis|root|smtp|user)[_-]?(?:pass|pw)(?![a-z])"
# A one-time code.
OF_LOGIN = (
    r"(?:(?:(?<![a-z])|(?<=-D)|(?-i:(?<=[a-z])(?=[PO])))(?:pin|otp)(?![a-z])|(?<![a-z])psk(?![a-z])"
    r"|(?:mfa|2fa|otp|one-?time|verification)[_-]?code)"
)
# Names that say it only of a value that they are given.
TELLING_NAME = (
    rf"(?:{_TELLING_WORD}|(?=[2mopv])(?:(?<![a-z])pw(?![a-z])|{OF_LOGIN})|(?<=[?&])sig(?==)"
    r"|(?:encryption|master|app|stripe|fernet|hmac|shared|account|signing|storage)[_-]?key"
    rf"|{OF_ACCOUNT})"
)
# Where a colon without a space gives a value, as dumps of Go have it: password:…, refreshToken:….
_ENDS_TELLING = "|".join(
    f"(?<={word})"
    for word in (
        *"pass pw secret token key pin otp".split(),
        *secret_words.WORDS,
    )
)
SECRET_NAME = re.compile(
    rf"{TELLING_NAME}|(?:^|[_-])(?:key|pass|dsn|cred|salt|pin)s?$", re.IGNORECASE
)

_L, _R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"  # the bounds of a token
_LX, _RX = r"(?<![0-9a-f])", r"(?![0-9a-f])"  # of what has a form of its own, in a longer word too
_OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_DOT = r"(?:[ \t]{0,8}\n\s{0,8})?\.(?:[ \t]{0,8}\n\s{0,8})?"  # at which lines may be broken
# Docker says `may require authorization: server message: …`. That is not a header.
_AUTHORIZATION = (
    r"(?:proxy-)?authorization(?=[\"']{0,2}\s?:\s{0,4}[\"']?"
    r"(?:basic|bearer|digest|negotiate|ntlm|token|aws4|[^\n\"']{0,512}\d))"
)

_VERDICT = (
    r"(?:invalid|valid|reject|refuse|wrong|bad|expired|revoked|denied|incorrect|unauthorized|disabled"
    r"|unknown|accept|match|mismatch|leak|compromise|blocked|recogni|authori)"
)

# The domain of a user of Windows; parts of its paths and its registry are none.
_DOMAIN = (
    r"(?!(?:WINDOWS|SYSTEM|SYSTEM32|SYSWOW64|PROGRAMDATA|USERS|BIN|TEMP|SERVICE|AUTHORITY|BUILTIN"
    r"|APPPOOL|HK[A-Z_]{1,30})\\)[A-Z][A-Z0-9-]{1,14}"
)

_QUOTED = r"(?:\"[^\"\n]{1,256}\"|'[^'\n]{1,256}')"
# A value without quotes, and an & in it. It ends the value where name=value comes next and the
# word is a query or a form, without a semicolon as connection strings have it.
_OF_VALUE = r"[^\s\"'&,;)\]}]"
_AND = (
    r"&(?:(?:amp|lt|gt);|(?!(?:amp|lt|gt|quot|apos|#\w{1,6});))"
    r"(?![\w.-]{1,64}=(?=[^\s\"'=,;)\]}])[^\s\"',;)\]}]{0,512}(?:[\s\"',)\]}]|;(?!\w)|\Z))"
)

# How tokens of other services begin.
_OF_VENDORS = (
    r"(?-i:sbp_|CLOJARS_|do[opr]_v1_|pat-(?:na|eu)\d-|[su]-s4t2(?:ud|af)-|lsv2_(?:pt|sk)_|CCIPAT_|mlsn\.|xkeysib-"
    r"|xsmtpsib-|shp(?:at|ca|pa|ss)_|glsa_|glc_|hvb\.|pul-|rubygems_|sntry[su]_|sq0(?:atp|csp)-|PMA[KT]-"
    r"|lin_api_|figd_|dapi|ntn_|ATATT3|ATCTT3|ATBB|pscale_|tskey-|duffel_|EZ[AT]K|nfp_|r8_|gsk_|xai-"
    r"|pplx-|fm2_|sgp_|apify_api_|nvapi-|bkua_|sl\.|dckr_oat_|rdme_|napi_|hcaik_|rnd_|AKCp|LTAI"
    r"|CFPAT-|ph[cx]_|BBFF-|VF\.(?:DM|WS)\.|hawk\.|supernotes_sk-|sk_\d{4,6}_|(?:pub|sub|sec)-c-|fio-u-"
    r"|dp\.(?:pt|st|ct|sa|scim|audit)\.|vercel_|vc[acikpr]_|na1\.(?=[\w+/]{40})|(?:api|sdk|mob)-(?=[0-9a-f]{8}-))"
)

# One alternation: where several fit at one place, the first one wins. A group's digits only
# keep its name apart.
RULES: dict[str, str] = {
    "private_key": (
        r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY[A-Z ]{0,32}-----"
        r"[^-]{0,65536}(?:-(?!----)[^-]{0,65536}){0,64}(?:-----END [A-Z ]{1,32}-----)?"
    ),
    # In a longer word only where it begins as the header of one does: alg, typ, kid, cty.
    "jwt": (
        rf"(?-i:{_L}eyJ|eyJ(?=hbGci|0eXAi|raWQi|jdHki))"
        rf"[A-Za-z0-9_-]{{8,1024}}{_DOT}[A-Za-z0-9_-]{{4,}}(?:{_DOT}[A-Za-z0-9_-]*){{0,3}}"
    ),
    "login": (
        rf"{_L}(?<=://)(?:[^\s/:?#\"']{{0,128}}:(?!\d{{1,5}}[/?#])[^\s\"'<>]{{0,512}}"
        r"|[^\s/:?#\"'<>]{1,128})@"
    ),
    # user:password@tcp(host)/database, as Go has it, and user/password@//host, as Oracle has it
    "dsn": (
        # The password reaches to the last @ before an address; Go's default address is nothing.
        rf"{_L}(?<![\w/])(?:(?<=sqlplus )|(?<=:oci:)|(?<=:thin:))"
        r"[\w.$#-]{1,64}/[^\s/@\"']{1,128}@"
        rf"|{_L}(?<![\w/])[\w.$#-]{{1,64}}(?::(?!//)[^\s\"'<>]{{1,256}}"
        r"@(?=(?:tcp|udp|unix)?\(|/(?:[\w?]|(?!\S))|[a-z][a-z0-9+]{1,20}\([^\s()]{1,128}\)/)"
        r"|/(?:[^\s/\"']{1,128}|\"[^\"\n]{1,64}\")@(?=//|[\w.-]{1,128}:\d{2,5}[/:]|(?-i:[A-Z][A-Z0-9_.]{1,30}(?![\w.:]))))"
        # user:password@host. A version before the @ and the digest of an image are no passwords.
        rf"|(?P<bare>{_L}(?<![\w/.:@])(?!(?:acct|mailto|sips?|xmpp):)[\w.$#-]{{1,64}}:(?=[^\s:]{{0,64}}\d)[^\s\"'<>:@/]{{6,256}}"
        r"@(?!sha\d)(?=[a-z][\w-]{0,62}(?![\w@])))"
    ),
    "access_key": (
        r"(?:(?-i:(?:AKIA|ASIA)[A-Z0-9]{16})"
        rf"|{_L}(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16,17}}{_R})"
    ),
    # With the name of the session, as aws:userid has it.
    "unique_id": (
        rf"{_L}(?-i:AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)(?-i:[A-Z0-9]{{16,17}}){_R}"
        r"(?::[\w+=,.@-]{1,64}\w)?"
    ),
    "vendor_token": (
        rf"{_L}(?-i:(?:gh[pousr]_|github_pat_|glpat-|gl[a-z]{{2,5}}-(?=[\w-]{{20}})|xapp-|xox[abeoprs]-|AIza|GOCSPX-|ya29\."
        r"|IQoJ|FwoG|FQoG|hvs\.|dckr_pat_|SG\.|pypi-AgEI|sk-(?:ant|proj)-|NRAK-)"
        r"[A-Za-z0-9_./+=-]{12,}|(?:[aprs]k_(?:live|prod|test)_|rzp_(?:live|test)_|whsec_)[A-Za-z0-9]{14,}"
        r"|s\.(?=[A-Za-z]{0,24}\d)[A-Za-z0-9]{24}(?!\w)|AGE-SECRET-KEY-1[A-Z0-9]{20,}|dt0[a-z]\d\d\.[A-Z0-9.]{24,}|oy2[a-z0-9]{43}(?![a-z0-9])"
        r"|(?:npm_|hf_|sk-)[A-Za-z0-9]{30,}"
        rf"|(?:{_OF_VENDORS})[A-Za-z0-9_.=-]{{16,512}}|SCW[A-Z0-9]{{17}}(?![0-9A-Za-z])"
        r"|FLWSECK(?:_TEST)?-[0-9a-z]{32}-X|\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"
        r"|[0-9a-f]{32,40}NRAL(?![0-9A-Za-z])|API-[A-Z0-9]{25,36}(?![0-9A-Za-z])|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}"
        r"|[MNO][A-Za-z0-9_-]{23,25}\.[\w-]{6}\.[\w-]{27,}|api_live\.[\w.-]{20,}"
        r"|pat\.[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}|\d/\d{16}/\d{16}:[0-9a-f]{32}"
        r"|(?:live|test)_(?=[A-Za-z]{0,64}\d)[A-Za-z0-9]{24,512}"
        r"|[A-Za-z0-9]{6,12}_[A-Za-z0-9]{29,64}_mmk(?!\w)|(?<=/webhookb2/)[0-9a-f-]{36}@[\w/-]{64,}"
        # Any prefix before a long run of letters; ids are of hexadecimal digits.
        r"|[a-z][a-z0-9]{1,11}(?:_[a-z0-9]{1,12}){0,2}_(?=[0-9a-fA-F]{0,512}[g-zG-Z])[A-Za-z0-9]{32,512}"
        # The address of a webhook, of Slack's and of Discord's, is all that it takes to use it.
        r"|(?<=/services/)T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/\w{16,}|(?<=/webhooks/)\d{17,20}/[\w-]{24,})"
    ),
    "secret_arn": (
        rf"{_L}arn:aws[a-z-]*:secretsmanager:[^:\s]*:[^:\s]*:secret:[\w/+=.@!-]{{1,512}}(?::[\w-]{{0,128}}){{0,4}}"
    ),
    "arn": rf"{_L}arn:[^:\s/]{{1,32}}:[^:\s/]{{0,64}}:[^:\s/]{{0,64}}:\d{{4,12}}(?=:)",
    # No name has a colon, but an address has.
    "session": rf"{_L}(?:assumed-role/[^/\s]{{1,128}}|federated-user)/[\w+=,.@:-]{{0,128}}\w",
    # Also the owner of an MFA device.
    "iam_user": (
        rf"{_L}(?:(?:(?<=:)|\A)user|(?<=\d{{12}}:)(?:(?:sms-)?mfa|u2f))/[\w+=,.@:/-]{{0,512}}\w"
    ),
    "named_user": (
        rf"{_L}(?P<who>(?:for |db |database |iam )?"
        r"(?:user|username|login|role|session|(?:logged|signed) in as)"
        r"(?:[ _-]?session)?(?:[ ._-]?name)?[\"']?[ =:>]{1,4})"
        r"(?P<quoted>'(?!arn:)[^'\n]{1,128}'|\"(?!arn:)[^\"\n]{1,128}\"|`(?!arn:)[^`'\n]{1,128}[`'])"
    ),
    # Without quotes: user=jane, DB_USER: jane, Uid=jane; for user jane.
    "bare_user": (
        rf"{_L}(?=[\w.-]{{1,60}}[ =:>])(?P<role>(?:[\w.-]{{0,40}}?(?:[_.-]|(?-i:[a-z](?=[US]))))?"
        r"(?:(?:[rs]|db|os|sql|remote)?user(?:[ _-]?(?:name|id))?"
        r"|(?<![a-z])(?:uid|usr|acct|logname|samaccountname)|session[ _-]?name)"
        r"(?:\s?(?:=(?!=)|:\s)\s?|\s|>|(?-i:(?<=User)|(?<=User[Nn]ame)):))"
        r"(?P<account_name>(?!arn:)(?:[a-z]|\d{1,9}[a-z])[^\s\"'`&,;:()\[\]{}<>=|/]{0,126}[^\W_])(?![\w=/@+-]|:(?!\s)|\((?!uid=)|\.\w)"
    ),
    # Whose folder it is: /home/jane/x, C:\Users\jane, ~jane/x.
    "home": (
        r"(?:(?<=/home/)|(?-i:(?<=/Users/))|(?<=[\w:$]\\Users\\)|(?<=[\w$]\\home\\)|(?<=:\\\\Users\\\\)"
        r"|(?<=Documents and Settings\\)|(?<=(?<![\w./~])~)(?=[\w.-]{2,64}/))"
        r"(?P<owner>(?!\d)[\w+@$-](?:[\w+@$.-]| (?=[\w.-]{1,64}\\)){0,63})(?<![.-])"
    ),
    "person": (
        # Without quotes, a name with a dot: by user jane.roe, session jane.roe
        rf"{_L}(?P<of>(?:iam user|by user|session name|session)\s"
        r"|(?:approved|authored|deployed|initiated|requested|reviewed|triggered) by\s"
        r"|(?:actor|owner)[:=]?\s?(?=[\w-]{1,64}\.[\w-]{1,64}(?!\.\w)))"
        r"(?P<whom>[a-z][\w+-]{0,63}\.[\w+.-]{0,63}\w)(?![\w:/(])"
        # CORP\jane, sudo[12]: jane : TTY=…, Accepted publickey for jane from …, … by jane(uid=1)
        rf"|{_L}(?:(?<![\w:\\.%-])(?-i:{_DOMAIN}\\(?![nrt]))(?=[\w+.-]{{1,64}}(?![\w+.\\:/(-]))"
        r"|sudo(?:\[\d{1,7}\])?:\s{1,4}(?=[\w.-]{1,64} : )"
        r"|(?:publickey|keyboard-interactive(?:/pam)?|gssapi-[\w-]{1,16}|password) for "
        r"(?:invalid user )?(?=[\w.-]{1,64} from )|by (?=[\w.-]{1,64}\(uid=)"
        # jane: no such user, jane@10.9.8.7, getpwnam("jane")
        r"|(?=[\w.-]{1,64}[\"'`]?: (?:no such|unknown|invalid) user)|(?=[\w.-]{1,64}@\d{1,3}\.)"
        r"|(?=[\w.-]{1,64} is not (?:in the sudoers|allowed to run sudo))"
        # 'jane'@'10.9.8.%', as MySQL has it
        r"|getpwnam\([\"']|(?<=['\"`])(?=[\w.-]{1,64}(?P<at>['\"`])@(?P=at)))"
        r"(?P<logged>[a-z_][\w+.-]{0,62}\w)"
        # In the name of an entry of a directory: CN=Jane Roe,OU=…
        rf"|{_L}CN=(?P<directory>[a-z][\w+. -]{{1,63}})(?=,\s?(?:ou|cn|dc|o)=)"
    ),
    "organization": (
        rf"{_L}(?:(?<=/)o-[a-z0-9]{{10,32}}|(?<=_policy/)p-[a-z0-9]{{8,32}}"
        r"|root/o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}|(?<![\w-])ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}"
        r"|(?<![\w-])o-(?=[a-z]{0,31}\d)(?=\d{0,31}[a-z])[a-z0-9]{10,32})"
        r"(?![\w-])"
    ),
    "revision": (
        rf"{_L}(?:service|daemon)-(?:deployment|revision)/[^\s/]{{1,255}}/"
        rf"(?:[^\s/]{{1,255}}/)?[\w-]{{16,24}}{_R}"
    ),
    "deployment": rf"{_L}ecs-svc/\d{{1,20}}(?!\d)",
    # The rest of the line, whatever it has: a scheme, several cookies, a signature.
    "header": (
        rf"{_L}(?P<heading>{_AUTHORIZATION}|(?:set-)?cookie|x-api-key|x-amz-security-token)"
        r"(?P<colon>[\"']{0,2}\s?:\s{0,4}[\"']?)(?P<line>digest\s[^\n]{1,8192}|[^\n\"']{1,8192})"
    ),
    "bearer": (
        rf"{_L}(?:bearer|basic)\s{{1,4}}(?=[A-Za-z._~+/=-]{{0,64}}\d)[A-Za-z0-9._~+/=-]{{8,}}"
    ),
    "session_cookie": (
        rf"{_L}(?P<cookie>(?:jsessionid|phpsessid|aspsessionid\w{{0,16}}|asp\.net_sessionid|connect\.sid"
        r"|sessionid|session_id|session|sid|csrftoken|xsrf-token|_csrf|awsalb\w{0,8}"
        r"|[\w.-]{0,24}_sess(?:ion)?(?:_?id)?|wordpress_logged_in\w{0,40})=)"
        r"(?P<crumb>[^\s;,\"']{6,4096})"
    ),
    "sql": (
        rf"{_L}(?<!revision )(?P<statement>"
        r"(?:identified(?: with [\w\"']{1,64})? (?:by|as)|password)"
        r"(?: password)?[ =]{1,3}\(?)"
        r"(?P<literal>'(?:[^'\\]|''|\\.){1,512}'|\"(?:[^\"\\]|\\.){1,512}\")"
    ),
    "identified": (
        rf"{_L}(?<!revision )(?P<by>identified(?: with \w{{1,64}})? by(?: password)? )"
        r"(?P<mark>[^\s\"'`,;()]{1,256})"
    ),
    "element": (
        rf"(?P<open><(?:[\w:.-]{{0,40}}?{_TELLING_WORD}[\w.-]{{0,40}})(?:\s[^<>]{{0,256}})?>)"
        r"(?P<inner>[^<]{1,4096})(?=</)"
    ),
    "netrc": (
        rf"{_L}(?P<entry>(?:login|user)\s{{1,4}}\S{{1,128}}\s{{1,4}}password\s{{1,4}}"
        # net use DRIVE SHARE PASSWORD /user:NAME, and the password at the end
        r"|net user \S{1,128} |net use (?:[a-z*]:? )?\\\\\S{1,256} (?:/u(?:ser)?:\S{1,128} )?)(?!/)"
        r"(?P<word>\S{1,256})"
    ),
    "pgpass": (
        rf"{_L}(?P<fields>[\w.*-]{{1,128}}:(?:\d{{2,5}}|\*):[\w*-]{{1,64}}:[\w*.-]{{1,64}}:)"
        r"(?P<last>[^\s:\"']{3,256})(?!\S)"
    ),
    "block": (
        rf"{_L}(?![.-])(?=[\w.-]{{1,99}}[\"']?:[ \t]{{0,4}}[|>])"
        rf"(?P<blockkey>[\w.-]{{0,40}}?{_TELLING_WORD}[\w.-]{{0,40}}[\"']?:"
        r"[ \t]{0,4}[|>][+-]?[ \t]{0,4}\n)"
        r"(?P<lines>(?:[ \t]{1,64}[^\n]{1,512}(?:\n|\Z)){1,64})"
    ),
    # key=value attributes, calls and arrows of a programming language: the value is quoted.
    "code": (
        rf"{_L}(?![.-])(?=[\w.-]{{1,99}}[\"'\])]{{1,3}}\s?(?:=>|==?|,)|[\w.-]{{1,99}}\s?(?:=>|\()\s?[\"'])"
        rf"(?P<codekey>[\w.-]{{0,40}}?{_TELLING_WORD}[\w.-]{{0,40}}[\"'\])]{{0,3}}"
        r"\s?(?:=>|==?|,|\()\s?)"
        r"(?![\"']value[\"']\s?[:=])(?P<coded>'(?:[^'\\]|\\.){1,512}'|\"(?:[^\"\\]|\\.){1,512}\")"
    ),
    "assignment": (
        # The sign is looked for first, since it is rarer than a long word to search.
        rf"{_L}(?![.-])(?=[\w.-]{{1,99}}(?:[\"']?(?:\s?:?=|\s?:\s|:[^\s:/\\])|[\"'](?:\s?,|\s{{1,4}}value|>)))"
        rf"(?P<key>[\w.-]{{0,40}}?{TELLING_NAME}[\w.-]{{0,40}})"
        rf"(?P<sign>[\"']?(?:\s?:?=[ \t]?|\s?:\s|:(?=[\"'])|(?:{_ENDS_TELLING}):(?=[^\s:/\\]))"
        # The pair of a name and a value, in JSON and in XML.
        r"|[\"'](?:\s?,\s{0,4}[\"']?value[\"']?\s?[:=]\s{0,4}|\s{1,4}value=|>))"
        r"(?P<mark_of_string>(?:[burf]{1,2}(?=[\"']))?)"  # b'…'
        r"(?P<given>(?<=>)[^<]{1,1024}(?=</)|(?<!>)(?:(?:bearer|basic|token)\s{1,4})?"
        r"(?:\"(?:[^\"\\]|\\.){1,4096}\"|'(?:[^'\\]|\\.){1,4096}'"
        # SecretStr('…'), ('…', '…')
        rf"|\w{{0,20}}[(\[]{{1,2}}\s?{_QUOTED}(?:\s?,\s{{0,2}}{_QUOTED}){{0,7}},?\s?[)\]]{{1,2}}"
        rf"|(?:{_OF_VALUE}{{3,}}|{_OF_VALUE}{{0,2}}(?={_AND}{_OF_VALUE}))"
        rf"(?:{_AND}{_OF_VALUE}{{1,256}}){{0,16}}))"
    ),
    # A name that may be harmless: the value goes unless it is plain words.
    "setting": (
        rf"{_L}(?![.-])(?P<named>(?:[\w.-]{{0,40}}(?:[_.-]|(?-i:[a-z](?=K))))?"
        r"(?:key|dsn|salt|nonce|seed|mnemonic|hash)\s?=\s?)"
        r"(?P<set>\"[^\"\n]{1,1024}\"|'[^'\n]{1,1024}'|[^\s\"'&,;)\]}]{3,})"
    ),
    "user_flag": (
        rf"{_L}(?<!\w)(?P<asks>(?:-[a-z]{{0,6}}u|--(?:proxy-)?user)[\s=]{{1,4}}[\"']?)"
        r"(?!\d{1,9}:\d{1,9}(?!\S))[^\s:\"']{1,128}:(?P<pass>[^\s\"']{1,512})"
    ),
    # -p PASSWORD, -uUSER, /p:PASSWORD and the like, as many programs have them; no part of a masked
    # name.
    "short_flag": (
        r"(?<![\w.*#?%>\])}\u00b7\u00bb\u2588-])(?P<short>"
        r"-(?![a-z]{0,10}pass(?:in|out|wd|word|phrase|code)?[\s=:])(?:[pauwk](?:\s{1,4}|=)?|t(?:\s{1,4}|=))"
        r"|(?<!\S)/(?:(?:p|u(?:ser)?):(?=[^\s=]{3,256}(?!\S))|r[pu]\s))"
        r"(?P<passed>(?<=[\s=])(?:'[^'\n]{2,256}'|\"[^\"\n]{2,256}\")|(?<=[\s=])[^\s\"'=-][^\s\"']{1,256}|[^\s\"'=-][^\s\"']{2,256})"
    ),
    "flag": (
        rf"{_L}(?<![\w-])(?P<option>--?[\w-]{{0,40}}?{_TELLING_WORD}[\w-]{{0,40}}\s{{1,8}})"
        r"(?P<argument>\"[^\"]{1,4096}\"|'[^']{1,4096}'|[^\s\"'-][^\s\"']{0,4096})"
    ),
    # key "…" is invalid, token '…' rejected
    "judged": (
        rf"{_L}(?P<subject>(?:{_TELLING_WORD}|keys?|pin|otp)\s{{1,4}})"
        r"(?P<object>'[^'\n]{1,256}'|\"[^\"\n]{1,256}\")"
        rf"(?=\s(?:(?:is|was|has been|does|did) ){{0,2}}(?:not )?{_VERDICT})"
    ),
    # "the password is …", "with password …": a word that is hardly ever plain.
    "said": (
        rf"{_L}(?<!unexpected )(?P<saying>(?:{_TELLING_WORD})"
        r"(?:\s(?:is|was|set to|changed to|of))?\s(?:[\w.-]{1,64}=(?!=))?"
        r"|key\s(?:is|was)\s(?=[^\s_.:/-]{8,64}(?!\S)))"
        r"(?P<spoken>'[^'\n]{1,256}'|\"[^\"\n]{1,256}\""
        r"|(?=[^\s]{0,64}[\d!#$%&*^])(?![\w.-]{1,64}=(?!=))[^\s\"',;:()=\[\]{}]{6,256})"
    ),
    "email": rf"{_L}(?<![\w.])[\w.%+'-]{{0,99}}\w@(?:[\w-]{{1,63}}\.){{1,8}}[a-z][\w-]{{0,62}}",
    "ec2_name": rf"{_L}(?:ip|ec2)-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}{_R}",
    "discovery_id": rf"{_L}(?:(?<=:namespace/)ns-|(?<=:service/)srv-"
    rf"|(?:ns|srv)-(?=[a-z]{{0,15}}\d))[a-z0-9]{{16}}{_R}",
    # Of Route 53, in capitals: a hosted zone, a change, a set of name servers.
    "zone_id": (
        rf"{_L}(?-i:Z(?=[A-Z]{{0,30}}\d[A-Z]{{0,30}}\d)[A-Z0-9]{{12,20}}"
        r"|(?:(?<=hostedzone/)|(?<=change/)|(?<=delegationset/))[A-Z][A-Z0-9]{7,31})(?!\w)"
    ),
    # Of a request to S3; other services have UUIDs.
    "request_id": (
        rf"{_L}(?P<asked>request[ _-]?id[\"']?\s?[:=>]\s?[\"']?)"
        rf"(?P<request>(?-i:(?=[A-Z]{{0,15}}\d)[0-9A-Z]{{16}})){_R}"
    ),
    # Of a pool of users of Cognito: eu-west-1_AbC123xyz.
    "pool_id": (
        rf"{_L}(?-i:[a-z]{{2}}(?:-[a-z]{{2,9}}){{1,3}}-\d_(?=[a-z]{{0,8}}[A-Z0-9])[A-Za-z0-9]{{9}}){_R}"
    ),
    "short_id": (
        rf"{_L}(?:eni|eni-attach|subnet|sg|sgr|vpc|vpce|i|vol|snap|ami|ari|aki|eipalloc|eipassoc|rtb"
        rf"|igw|nat|acl|lt|fs|fsap|fsmt|r|tgw|pcx|dopt|cgw|vgw|vpn|pl)-[0-9a-f]{{8}}{_R}"
    ),
    "aws_id": rf"(?<![a-z])[a-z]{{1,40}}-[0-9a-f]{{17}}{_RX}",
    # Its form is its own, so that it may be glued to a word or to the code of an error.
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    # The name for a reverse look-up of an address in the DNS.
    "reverse_name": r"(?<![\w.])(?:[0-9a-f]{1,3}\.){1,32}(?:in-addr|ip6)\.arpa(?![\w-]|\.\w)",
    "mac": rf"{_LX}(?![\d.]{{14}})[0-9a-f]{{2}}(?:(?::[0-9a-f]{{2}}){{5}}|(?:-[0-9a-f]{{2}}){{5}}"
    # As Cisco has them; with a letter, or it is a number.
    rf"|[0-9a-f]{{2}}(?:\.[0-9a-f]{{4}}){{2}}){_RX}",
    "ipv6": (
        r"(?:(?<![0-9A-Za-z:.])|(?<=[^0-9a-f]:)(?=[0-9a-f])|(?<=[g-z]6:)(?=[0-9a-f]))"
        r"(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?=:\d{1,5}(?![0-9a-f]|:[0-9a-f:]))"
        r"|(?=[0-9a-f]{0,4}:[0-9a-f]{0,4}:)[0-9a-f]{0,4}(?::[0-9a-f]{1,4}|::[0-9a-f]{0,4}){1,8}"
        r"(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![0-9A-Za-z]|\.\w|:[0-9a-f:]))"
    ),
    "ipv4": rf"(?<!\d)(?<!\d\.){_OCTET}(?:\.{_OCTET}){{3}}(?!\d|\.\d)",
    "hex": rf"{_LX}(?:[0-9a-f]{{32}}-\d{{5,10}}(?![0-9A-Za-z-])|[0-9a-f]{{16,}}{_RX})",
    "account": (
        r"(?<!\d)(?:\d{12}"
        r"|\d{4}(?P<apart>, |[^0-9A-Za-z\n\\])\d{4}(?P=apart)\d{4}(?!(?P=apart)\d{4})"
        r"|(?<!\d[-/_. ])\d{3}(?P<third>[^0-9A-Za-z\n\\])\d{3}(?P=third)\d{3}(?P=third)\d{3}"
        r"(?!(?P=third)\d))(?!\d)"
    ),
    "host1": rf"{_L}(?:(?<=://)|(?<=@))(?:[\w-]{{1,63}}\.){{1,8}}[a-z][\w-]{{0,62}}",
    # The name of a host in a private network, whatever comes after it.
    "private_host": (
        rf"{_L}(?<!\w)(?<!\w[.-])(?:\w[\w-]{{0,62}}\.){{1,8}}(?:{'|'.join(PRIVATE)}|home\.arpa)"
        r"(?![0-9A-Za-z])(?:[.-]{1,3}\w{1,63}){0,8}"
        # With something glued to it.
        rf"|{_L}(?<!\w)(?<!\w[.-])(?:[\w-]{{1,63}}\.){{1,8}}amazonaws\.com(?:\.cn)?(?=-)"
    ),
    # A dotted word; `hosts` says whether it is the name of a host.
    "host2": (
        rf"{_L}(?<!\w)(?<!\w[.-])(?:\w[\w-]{{0,62}}\.){{1,8}}[^\W\d_][\w-]{{1,62}}(?![0-9A-Za-z])"
    ),
}


def alternation(rules: Mapping[str, str]) -> re.Pattern[str]:
    """Rules as one search; rules for whole tokens are tried only where a token may begin."""
    rows = []
    for bound, row in groupby(rules.items(), key=lambda rule: rule[1].startswith(_L)):
        start = _L if bound else ""
        rows.append(
            f"{start}(?:{'|'.join(f'(?P<{rule}>{p.removeprefix(start)})' for rule, p in row)})"
        )
    return re.compile("|".join(rows), re.IGNORECASE)


# The rules for names: tokens with a form of their own, in any place.
NAME_RULES = (
    *("private_key", "jwt", "access_key", "unique_id", "vendor_token", "secret_arn", "session"),
    *(
        "iam_user",
        "home",
        "organization",
        "revision",
        "deployment",
        "email",
        "ec2_name",
        "discovery_id",
    ),
    *(
        "zone_id",
        "pool_id",
        "short_id",
        "aws_id",
        "uuid",
        "reverse_name",
        "mac",
        "ipv6",
        "ipv4",
        "hex",
    ),
    *("account", "private_host"),
)
# The rules that match a whole id.
ID_RULES = ("discovery_id", "zone_id", "short_id", "aws_id", "uuid", "hex")


# Compiled when something is scrubbed: a replay, which needs neither, would wait for them.
@functools.cache
def in_text() -> re.Pattern[str]:
    """The search for a text."""
    return alternation(RULES)


@functools.cache
def in_name() -> re.Pattern[str]:
    """The search for a name."""
    return alternation({rule: RULES[rule] for rule in NAME_RULES})
