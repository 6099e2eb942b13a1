"""Programs that set up RSA keys and AES contexts, and what is to be said of each; none is ever run by a test.

A program that is secure or insecure runs, and one that raises does raise, with cryptography 50.0, pycryptodome 4.4 and
rsa 4.9: each was run once to see that. ``new`` is what a program defines; it is called with nothing.
"""

HAZMAT = "from cryptography.hazmat.primitives.asymmetric import rsa\n\ndef new():\n"
PUBLIC = "from Crypto.PublicKey import RSA\n\ndef new():\n"
PLAIN = "import rsa\n\ndef new():\n"
CIPHERS = "import os\nfrom cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes\n\ndef new():\n"
AES = "from Crypto.Cipher import AES\nfrom Crypto.Random import get_random_bytes\n\ndef new():\n"
KEY = "key = get_random_bytes(16)\n"

PROGRAMS = (
    ("secure", HAZMAT + "    return rsa.generate_private_key(public_exponent=65537, key_size=2048)\n"),
    ("secure", HAZMAT + "    return rsa.generate_private_key(65537, 2 * 1024)\n"),
    ("secure", HAZMAT + "    size = 1 << 11\n    return rsa.generate_private_key(3, size)\n"),
    ("secure", HAZMAT.replace("new()", "new(size=2048)") + "    return rsa.generate_private_key(65537, size)\n"),
    ("secure", "BITS = 3072\n" + HAZMAT + "    return rsa.generate_private_key(65537, key_size=BITS, backend=None)\n"),
    ("insecure", HAZMAT + "    return rsa.generate_private_key(public_exponent=65537, key_size=1024)\n"),
    ("insecure", HAZMAT + "    return rsa.generate_private_key(65537, 2047)\n"),
    ("insecure", HAZMAT + "    exponent, size = 65537, 1024\n    return rsa.generate_private_key(exponent, size)\n"),
    ("insecure", HAZMAT.replace("new()", "new(*, bits=1024)") + "    return rsa.generate_private_key(65537, bits)\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(65537, 512)\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(65537)\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(public_exponent=65536, key_size=2048)\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(65537, 2048, bits=2048)\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(65537, '2048')\n"),
    ("raises", HAZMAT + "    return rsa.generate_private_key(65537, 2048, default_backend())\n"),
    ("not judged", HAZMAT + "    return rsa.generate_private_key(65537, int(input()))\n"),
    ("not judged", HAZMAT + "    size = 1024\n    size = 2048\n    return rsa.generate_private_key(65537, size)\n"),
    ("not judged", HAZMAT.replace("new()", "new(size)") + "    return rsa.generate_private_key(65537, size)\n"),
    ("not judged", HAZMAT + "    return rsa.generate_private_key(**{'public_exponent': 3, 'key_size': 1024})\n"),
    ("secure", PUBLIC + "    return RSA.generate(2048)\n"),
    ("secure", PUBLIC + "    return RSA.generate(bits=2048, e=65537).export_key()\n"),
    ("secure", PUBLIC.replace("Crypto.", "Cryptodome.") + "    return RSA.generate(2048)\n"),
    ("secure", "from Crypto.PublicKey.RSA import generate as make\n\ndef new():\n    return make(2048)\n"),
    (
        "secure",
        "import Crypto.PublicKey.RSA as R\nclass K:\n    def make(self):\n        return R.generate(2048)\n"
        "new = K().make\n",
    ),
    ("insecure", PUBLIC + "    return RSA.generate(1024)\n"),
    ("insecure", PUBLIC + "    key = RSA.generate(1024)\n    other = RSA.generate(2048)\n    return key, other\n"),
    (
        "insecure",
        "from Crypto.PublicKey import *\nfrom Crypto.PublicKey import RSA\n\n"
        "def new():\n    return RSA.generate(1024)\n",
    ),
    ("raises", PUBLIC + "    return RSA.generate(512)\n"),
    ("raises", PUBLIC + "    return RSA.generate()\n"),
    ("raises", PUBLIC + "    return RSA.generate(2048, e=4)\n"),
    ("raises", PUBLIC + "    return RSA.generate_key(2048)\n"),
    ("raises", PUBLIC + "    return Random.new(), RSA.generate(2048)\n"),
    ("raises", "def new():\n    return RSA.generate(2048)\n"),
    ("raises", "from Crypto.Cipher import RSA\n\ndef new():\n    return RSA.generate(2048)\n"),
    ("raises", PUBLIC + "    return RSA.generate(2048\n"),
    ("secure", PLAIN + "    public, private = rsa.newkeys(2048)\n    return public, private\n"),
    ("insecure", PLAIN + "    return rsa.newkeys(512)\n"),
    ("insecure", PLAIN + "    return rsa.newkeys(nbits=512, poolsize=1)\n"),
    ("raises", PLAIN + "    return rsa.newkeys(8)\n"),
    ("raises", PLAIN + "    return rsa.newkeys(bits=2048)\n"),
    ("secure", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(32)), modes.CBC(os.urandom(16)))\n"),
    ("secure", CIPHERS + "    return Cipher(algorithms.AES256(b'k' * 32), mode=modes.GCM(os.urandom(12)))\n"),
    ("secure", CIPHERS + "    mode = modes.CTR(os.urandom(16))\n    return Cipher(algorithms.AES(b'k' * 16), mode)\n"),
    ("insecure", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(16)), modes.ECB())\n"),
    (
        "insecure",
        CIPHERS + "    return Cipher(algorithm=algorithms.AES(key=b'k' * 16), mode=modes.ECB(), backend=None)\n",
    ),
    (
        "insecure",
        CIPHERS + "    aes, ecb = algorithms.AES(b'k' * 16), modes.ECB()\n    return Cipher(aes, ecb).encryptor()\n",
    ),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(16)))\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(16)), modes.ECB)\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(16)), modes.ECB(os.urandom(16)))\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(16)), modes.CBC())\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES(os.urandom(15)), modes.ECB())\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES('k' * 16), modes.PCBC(os.urandom(16)))\n"),
    ("raises", CIPHERS + "    return Cipher(algorithms.AES('kkkkkkkkkkkkkkkk'), modes.ECB())\n"),
    ("not judged", CIPHERS + "    return Cipher(algorithms.Camellia(os.urandom(16)), modes.ECB())\n"),
    ("secure", AES + "    return AES.new(get_random_bytes(16), AES.MODE_CBC)\n"),
    ("secure", AES + "    return AES.new(get_random_bytes(32), mode=AES.MODE_GCM, nonce=b'n' * 12)\n"),
    ("secure", AES + f"    {KEY}    mode = AES.MODE_EAX\n    return AES.new(key, mode)\n"),
    ("secure", AES + f"    {KEY}    return AES.new(key, 2, get_random_bytes(AES.block_size))\n"),
    ("secure", AES + "    return AES.new(get_random_bytes(32), AES.MODE_SIV)\n"),
    ("insecure", AES + "    return AES.new(get_random_bytes(16), AES.MODE_ECB)\n"),
    ("insecure", AES + "    return AES.new(key=b'0123456789abcdef', mode=AES.MODE_ECB, use_aesni=False)\n"),
    ("insecure", AES + f"    {KEY}    mode = AES.MODE_ECB\n    return AES.new(key, mode)\n"),
    ("insecure", AES + f"    {KEY}    return AES.new(key, 1)\n"),
    ("insecure", AES.replace("new()", "new(mode=AES.MODE_ECB)") + f"    {KEY}    return AES.new(key, mode)\n"),
    ("insecure", AES + f"    {KEY}    return [AES.new(key, AES.MODE_ECB) for _ in range(2)]\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16))\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), AES.MODE_ECB, get_random_bytes(16))\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), AES.MODE_ECB, iv=get_random_bytes(16))\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), AES.MODE_CTR, get_random_bytes(16))\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), AES.MODE_GCM, iv=get_random_bytes(16))\n"),
    ("raises", AES + "    return AES.new('0123456789abcdef', AES.MODE_CBC)\n"),
    ("raises", AES + "    return AES.new(b'too short', AES.MODE_CBC)\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(2048), AES.MODE_CBC)\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), AES.MODE_PGP)\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), 99)\n"),
    ("raises", AES + "    return AES.new(get_random_bytes(16), 'ECB')\n"),
    ("not judged", AES + "    modes = {'ecb': AES.MODE_ECB}\n    return AES.new(get_random_bytes(16), modes['ecb'])\n"),
    ("not judged", AES + f"    {KEY}    for mode in (AES.MODE_ECB,):\n        return AES.new(key, mode)\n"),
    ("not judged", "def new():\n    return 2048\n"),
)
