// The JPEG fixture: a smooth picture of 32×24 pixels, R = 7x, G = 10y, B = 128, at quality 95.
//
// Command:   cc make_picture_jpg.c -ljpeg -o /tmp/make_picture && /tmp/make_picture picture.jpg
// Versions:  libjpeg-turbo 2.1.5
#include <stdio.h>

#include <jpeglib.h>

int main(int count, char **arguments) {
    FILE *file = count > 1 ? fopen(arguments[1], "wb") : NULL;
    if (!file) return 1;
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_stdio_dest(&info, file);
    info.image_width = 32;
    info.image_height = 24;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 95, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < 24) {
        JSAMPLE row[32 * 3];
        for (int x = 0; x < 32; x++) {
            row[3 * x] = (JSAMPLE)(7 * x);
            row[3 * x + 1] = (JSAMPLE)(10 * info.next_scanline);
            row[3 * x + 2] = 128;
        }
        JSAMPROW rows = row;
        jpeg_write_scanlines(&info, &rows, 1);
    }
    jpeg_finish_compress(&info);
    return fclose(file);
}
