"""The passwords that are tried first: the top of the well-known lists, as far as it has 8 characters or more.

Small on purpose. The lock-out (`api.services.lockouts`) leaves an attacker about a hundred tries a day, so
only the very top has to be refused. Compared without case.
"""

COMMON = frozenset(
    """
    00000000 0123456789 0987654321 10203040 1029384756 11111111 1111111111 11112222 11223344 112233445566
    12121212 12301230 12312312 123123123 12341234 1234512345 12345678 123456789 1234567890 12345678910
    1234567891 12345679 1234abcd 1234qwer 123654789 123698745 12qwaszx 13131313 135792468 13579246810
    14141414 147258369 147852369 159357456 159753456 18273645 19216811 19841984 19851985 19861986 19871987
    19881988 19891989 19901990 1a2b3c4d 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz1qaz 1qaz2wsx 1qaz2wsx3edc
    1qazxsw2 20002000 21212121 22222222 23232323 25252525 31415926 321321321 33333333 3rjs1la7qe 44444444
    45454545 55555555 66666666 69696969 741852963 77777777 7758521a 78945612 789456123 87654321 88888888
    963852741 987456321 98765432 987654321 9876543210 99999999 a1234567 a12345678 a123456789 a1b2c3d4
    a1s2d3f4 aa123456 aa12345678 aaaaaaaa abababab abc12345 abc123456 abcabcabc abcd1234 abcdabcd abcdefgh
    abcdefghi access14 adgjmptw adminadmin admin123 admin1234 admin12345 administrator alexande alexander
    anthony1 asasasas asd12345 asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl1 asdfjkl; assassin
    azerty123 azertyui azertyuiop babygirl babygirl1 barcelona baseball baseball1 basketball
    bigdaddy bismillah blahblah blink182 bluebird bonjour1 braveheart brooklyn bulldogs butterfly
    carolina champion changeme changeme1 changeit charlie1 chelsea1 chocolate christian christine
    chris123 cocacola computer computer1 confirmed cookies1 corvette cowboys1 creative darkness daniel12
    default1 diamond1 dolphins dragon12 dragonball drowssap elephant eminem12 evolution explorer
    falcon12 family12 fdsafdsa ferrari1 firebird firebird1 fishing1 flamingo football football1 forever1
    freedom1 friends1 gateway1 geheim12 george12 garfield godzilla goodluck google12
    greenday guest123 guitar12 hannah12 hardcore hello123 hello1234 helloworld hellokitty hercules
    homework horseback hunter12 iloveyou iloveyou1 iloveyou2 iloveyou! infinity internet internet1
    jackson1 jennifer jennifer1 jessica1 jonathan jordan23 justin12 killer12 kimberly kristina
    lakers24 letmein1 letmein123 letmein! liverpool liverpool1 lollipop london12 lovelove lovely12 loveme12
    macintosh manchester marlboro mary1234 master12 master123 maverick mercedes merlin12 metallica
    michael1 michelle michelle1 midnight mistress modelhub modelhub1 modelhub123 monkey12 monkey123
    motorola mountain mustang1 mynoob123 nascar24 naruto12 newcastle newyork1 nicholas nintendo nirvana1
    november onelove1 p@55w0rd p@55word p@ssw0rd p@ssw0rd1 p@ssword pa$$w0rd pa55w0rd pa55word pakistan
    panther1 paradise pass1234 passport passw0rd passw0rd1 passwd123 password password! password.
    password0 password00 password01 password1 password1! password10 password11 password12 password123
    password1234 password2 password3 passwort patrick1 phoenix1 platinum playstation pokemon1 porsche911
    princess princess1 q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsx12 qazwsx123 qazwsxedc qazxswedc qqqqqqqq
    qqww1122 qwaszx12 qwe12345 qwe123456 qweasdzxc qweqweqwe qwer1234 qwerasdf qwert123 qwert12345 qwerty11
    qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop qwertzui qwertzuiop rainbow1 rangers1
    richard1 rockstar rootroot russia12 samantha samsung1 scorpion secret12 secret123 sebastian september
    shadow12 sithlord slipknot snickers snowball soccer12 softball spiderman spongebob starcraft startrek
    starwars starwars1 steelers stephanie steven12 summer12 sunflower sunshine sunshine1 super123 superman
    superman1 superstar swordfish sysadmin teacher1 tennis12 test1234 test12345 testing1 testing123
    testtest thomas12 thunder1 tigger12 tinkerbell toor1234 trinity1 trustno1 tottenham undertaker
    user1234 valentina vanessa1 veronica victoria victory1 voyager1 warcraft warrior1 webmaster welcome!
    welcome1 welcome01 welcome12 welcome123 welcome2 whatever whatever1 william1 windows1 wolverine
    woaini1314 xxxxxxxx yankees1 yellow12 zaq12wsx zaq1xsw2 zaq1zaq1 zxcv1234 zxcvbnm1 zxcvbnm12 zxcvbnm123
    zxcvbnma zzzzzzzz
    """.split()  # noqa: SIM905 - four hundred quotes would not make it easier to read
)
